"""What IAM and STS answer about roles and callers, so that scripts written for AWS find theirs.

On the service a role must exist and the caller has a name. Here any role is accepted, and a caller
without credentials of ours is a role's session, as on a notebook instance.
"""

from __future__ import annotations

import uuid
from xml.sax.saxutils import escape

from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Request, Response

from ..runtime import Emulator
from .caller import Caller
from .wire import xml_answer

CALLER_ROLE = "sagemaker-emulator"


def answer(emulator: Emulator, request: Request, caller: Caller) -> Response | None:
    """Answer an IAM or STS request that is ours; None when moto answers, perhaps after we prepared it."""
    form = request.form
    match caller.service, form.get("Action"):
        case "iam", "SimulatePrincipalPolicy":
            _accept(emulator, caller, form.get("PolicySourceArn", ""))
            return _simulated(form)
        case "iam", "GetRole" if form.get("RoleName"):
            emulator.services.accept_role(caller.scope, form["RoleName"])
        case "iam", "CreateRole" if form.get("RoleName"):
            emulator.services.forget_accepted_role(caller.scope, form["RoleName"])
        case "sts", "GetCallerIdentity":
            return _caller_identity(emulator, caller)
        case _:
            pass
    return None


def _accept(emulator: Emulator, caller: Caller, arn: str) -> None:
    """Accept the role of an ARN such as arn:aws:iam::123456789012:role/service-role/Name."""
    resource = arn.rpartition(":")[2]
    if resource.startswith("role/"):
        path, _, name = resource.removeprefix("role").rpartition("/")
        emulator.services.accept_role(caller.scope, name, f"{path}/")


def _simulated(form: MultiDict[str, str]) -> Response:
    """Say that every action asked about is allowed."""
    actions = [value for name, value in form.items() if name.startswith("ActionNames.member.")]
    resources = [value for name, value in form.items() if name.startswith("ResourceArns.member.")]
    results = "".join(
        f"<member><EvalActionName>{escape(action)}</EvalActionName>"
        f"<EvalResourceName>{escape(resource)}</EvalResourceName><EvalDecision>allowed</EvalDecision>"
        "<MatchedStatements/><MissingContextValues/></member>"
        for action in actions
        for resource in resources or ["*"]
    )
    return _query_answer(
        "iam.amazonaws.com/doc/2010-05-08",
        "SimulatePrincipalPolicy",
        f"<IsTruncated>false</IsTruncated><EvaluationResults>{results}</EvaluationResults>",
    )


def _caller_identity(emulator: Emulator, caller: Caller) -> Response | None:
    """Say who the caller is: a job's role, else the session of a role that any script can use.

    Keys that a client made with IAM or STS here are moto's to explain.
    """
    issued = emulator.credentials.of_access_key(caller.access_key_id)
    if issued is None and emulator.services.knows_access_key(caller.access_key_id):
        return None
    scope = caller.scope
    arn = (
        issued.caller_arn
        if issued is not None
        else f"arn:{scope.partition}:sts::{scope.account}:assumed-role/{CALLER_ROLE}/session"
    )
    user_id = f"AROA{scope.account}EXAMPLE:{arn.rpartition('/')[2]}"
    return _query_answer(
        "sts.amazonaws.com/doc/2011-06-15",
        "GetCallerIdentity",
        f"<Arn>{escape(arn)}</Arn><UserId>{escape(user_id)}</UserId><Account>{scope.account}</Account>",
    )


def _query_answer(namespace: str, action: str, result: str) -> Response:
    return xml_answer(
        f'<{action}Response xmlns="https://{namespace}/"><{action}Result>{result}</{action}Result>'
        f"<ResponseMetadata><RequestId>{uuid.uuid4()}</RequestId></ResponseMetadata></{action}Response>"
    )
