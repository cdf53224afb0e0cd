// Before the page is drawn: the theme that was chosen here, if one was.
try {
  const chosen = localStorage.getItem("theme");
  if (chosen === "light" || chosen === "dark") document.documentElement.dataset.theme = chosen;
} catch { /* storage may be closed to us; then the system's theme is shown */ }
