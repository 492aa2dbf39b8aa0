"""S3's own key: a write that asks for `aws:kms` and names no key is encrypted with the account's key `aws/s3`.

ministack refuses such a write. The CDK publishes its assets with one.
"""

from typing import Any

from local.emulator.environment import ACCOUNT, REGION
from local.emulator.ministack_hooks import module

_ALGORITHM = "x-amz-server-side-encryption"
_KEY = "x-amz-server-side-encryption-aws-kms-key-id"
AWS_MANAGED_KEY = f"arn:aws:kms:{REGION}:{ACCOUNT}:alias/aws/s3"


def register() -> None:
    """Give ministack's S3 the account's own key."""
    s3 = module("ministack.services.s3")
    resolve = s3._resolve_sse_write_headers

    def with_managed_key(headers: dict[str, str], bucket_name: str) -> Any:
        if headers.get(_ALGORITHM) == "aws:kms" and not headers.get(_KEY):
            headers = {**headers, _KEY: AWS_MANAGED_KEY}
        return resolve(headers, bucket_name)

    s3._resolve_sse_write_headers = with_managed_key
