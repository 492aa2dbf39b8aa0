"""Properties of a bucket that ministack's CloudFormation leaves out."""

from collections.abc import Mapping, Sequence
from typing import Any
from xml.etree import ElementTree

from local.emulator.ministack_hooks import module

_NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/"


def register_bucket_properties() -> None:
    """Make ministack's CloudFormation know a bucket's `BucketEncryption` and `Tags`."""
    s3 = module("ministack.services.s3")
    module("ministack.services.cloudformation.provisioners")._S3_BUCKET_CONFIGURATIONS += (
        ("BucketEncryption", encryption_xml, s3._put_bucket_encryption, s3._delete_bucket_encryption),
        ("Tags", tagging_xml, s3._put_bucket_tagging, s3._delete_bucket_tagging),
    )


def encryption_xml(configuration: Mapping[str, Any]) -> bytes:
    """A bucket's `BucketEncryption` property as the body of PutBucketEncryption."""
    root = ElementTree.Element("ServerSideEncryptionConfiguration", xmlns=_NAMESPACE)
    for given in configuration["ServerSideEncryptionConfiguration"]:
        rule = ElementTree.SubElement(root, "Rule")
        default = given.get("ServerSideEncryptionByDefault")
        if default is not None:
            applied = ElementTree.SubElement(rule, "ApplyServerSideEncryptionByDefault")
            ElementTree.SubElement(applied, "SSEAlgorithm").text = default["SSEAlgorithm"]
            if default.get("KMSMasterKeyID"):
                ElementTree.SubElement(applied, "KMSMasterKeyID").text = default["KMSMasterKeyID"]
        if "BucketKeyEnabled" in given:
            enabled = str(given["BucketKeyEnabled"]).lower()
            ElementTree.SubElement(rule, "BucketKeyEnabled").text = enabled
    return ElementTree.tostring(root)


def tagging_xml(tags: Sequence[Mapping[str, str]]) -> bytes:
    """A bucket's `Tags` property as the body of PutBucketTagging."""
    root = ElementTree.Element("Tagging", xmlns=_NAMESPACE)
    tag_set = ElementTree.SubElement(root, "TagSet")
    for given in tags:
        tag = ElementTree.SubElement(tag_set, "Tag")
        ElementTree.SubElement(tag, "Key").text = given["Key"]
        ElementTree.SubElement(tag, "Value").text = given["Value"]
    return ElementTree.tostring(root)
