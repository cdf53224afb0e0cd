# shellcheck shell=bash
# Sourced by the other scripts: how they install a missing Debian package.

can_apt() { [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null && command -v flock >/dev/null; }

# apt_install PACKAGE...: quiet unless it fails. One at a time, because apt's own lock on its lists does not wait.
apt_install() {
  local log status=0
  log=$(mktemp "${TMPDIR:-/tmp}/sagemaker-emulator-apt.XXXXXX")
  (
    flock 8
    export DEBIAN_FRONTEND=noninteractive
    # An unrelated source that is down must not stop us: the install below tells whether it mattered.
    apt-get -q update || true
    apt-get -q -y -o DPkg::Lock::Timeout=300 install --no-install-recommends "$@"
  ) 8>/run/sagemaker-emulator-apt.lock >"$log" 2>&1 </dev/null || status=$?
  if [ "$status" != 0 ]; then
    echo "apt-get could not install $*:" >&2
    tail -n 15 "$log" >&2
  fi
  rm -f "$log"
  return "$status"
}
