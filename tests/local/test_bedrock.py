"""The local AWS has no models of Bedrock, and invents no answers of theirs."""

import pytest
from botocore.exceptions import ClientError

from local.aws import LocalAws


def test_every_model_is_refused_as_without_access(aws: LocalAws) -> None:
    with pytest.raises(ClientError) as refused:
        aws.client("bedrock-runtime").converse(
            modelId="maker.model-v1:0", messages=[{"role": "user", "content": [{"text": "Say something."}]}]
        )
    assert refused.value.response["Error"]["Code"] == "AccessDeniedException"
    assert "no model of Amazon Bedrock" in refused.value.response["Error"]["Message"]
