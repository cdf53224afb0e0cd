"""The SDK's third version has the same `Run`."""

import json

from sagemaker.core.experiments.run import Run, list_runs, load_run
from sagemaker.core.helper.session_helper import Session

session = Session()
with Run(experiment_name="third", run_name="one", sagemaker_session=session) as run:
    run.log_parameters({"layers": 3, "optimizer": "adam"})
    for step, value in enumerate((0.9, 0.5, 0.3)):
        run.log_metric("loss", value, step=step)
with load_run(experiment_name="third", run_name="one", sagemaker_session=session) as again:
    again.log_metric("auc", 0.75)
print(json.dumps({"runs": [one.run_name for one in list_runs("third", sagemaker_session=session)]}))
