"""The model registry: groups of versioned model packages, and their approval."""

import threading
from collections.abc import Callable
from typing import Any

from local.emulator.errors import ConflictException, ValidationError
from local.emulator.listing import Listing, now
from local.emulator.sagemaker.events import Events, iso
from local.emulator.sagemaker.names import arn, name_of
from local.emulator.sagemaker.tags import Tags

GROUPS = Listing(
    result="ModelPackageGroupSummaryList",
    identity="ModelPackageGroupArn",
    name="ModelPackageGroupName",
    descending=False,
    sort_members={"Name": "ModelPackageGroupName", "CreationTime": "CreationTime"},
)
PACKAGES = Listing(
    result="ModelPackageSummaryList",
    identity="ModelPackageArn",
    descending=False,
    sort_members={"Name": "ModelPackageArn", "CreationTime": "CreationTime"},
    filters={"ModelApprovalStatus": "ModelApprovalStatus"},
)
PENDING = "PendingManualApproval"
APPROVED = "Approved"
_GROUP_SUMMARY = (
    "ModelPackageGroupName",
    "ModelPackageGroupArn",
    "ModelPackageGroupDescription",
    "CreationTime",
    "ModelPackageGroupStatus",
)
_PACKAGE_SUMMARY = (
    "ModelPackageGroupName",
    "ModelPackageVersion",
    "ModelPackageArn",
    "ModelPackageDescription",
    "CreationTime",
    "ModelPackageStatus",
    "ModelApprovalStatus",
    "ModelPackageRegistrationType",
)
# What AWS's documentation of the event shows in `detail`; anything else of a package must be described.
_EVENT_DETAIL = (
    "ModelPackageGroupName",
    "ModelPackageVersion",
    "ModelPackageArn",
    "ModelPackageDescription",
    "CreationTime",
    "LastModifiedTime",
    "InferenceSpecification",
    "ModelPackageStatus",
    "ModelPackageStatusDetails",
    "CertifyForMarketplace",
    "ModelApprovalStatus",
    "ApprovalDescription",
    "MetadataProperties",
    "ModelMetrics",
)
# Members of UpdateModelPackage that replace what the package says.
_REPLACED = ("ApprovalDescription", "SourceUri", "ModelCard", "ModelLifeCycle", "InferenceSpecification")
Operation = Callable[[dict[str, Any]], dict[str, Any]]


class ModelRegistry:
    """Model package groups and their packages. Versions count up from 1 and are never given twice."""

    def __init__(self, *, tags: Tags, events: Events) -> None:
        self._tags = tags
        self._events = events
        self._lock = threading.RLock()
        self._groups: dict[str, dict[str, Any]] = {}
        self._packages: dict[str, dict[str, Any]] = {}
        self._latest_version: dict[str, int] = {}
        self._tokens: dict[str, str] = {}
        tags.know(lambda resource: any(g["ModelPackageGroupArn"] == resource for g in self._groups.values()))

    def operations(self) -> dict[str, Operation]:
        return {
            "CreateModelPackageGroup": self._create_group,
            "DescribeModelPackageGroup": self._describe_group,
            "ListModelPackageGroups": lambda request: GROUPS.page(
                [_only(group, _GROUP_SUMMARY) for group in list(self._groups.values())], request
            ),
            "DeleteModelPackageGroup": self._delete_group,
            "CreateModelPackage": self._create,
            "DescribeModelPackage": lambda request: dict(self.package(request["ModelPackageName"])),
            "ListModelPackages": self._list,
            "UpdateModelPackage": self._update,
            "DeleteModelPackage": self._delete,
        }

    def package(self, name: str) -> dict[str, Any]:
        """The package of this ARN, or of `<group>/<version>`.

        Raises:
            ValidationError: there is none.
        """
        found = self._packages.get(arn("model-package", name_of("model-package", name)))
        if found is None:
            raise ValidationError(f"ModelPackage {name} does not exist")
        return found

    def _create_group(self, request: dict[str, Any]) -> dict[str, Any]:
        name = request["ModelPackageGroupName"]
        _refuse(request, "ManagedConfiguration")
        group_arn = arn("model-package-group", name)
        with self._lock:
            if name in self._groups:
                raise ValidationError(f"Model Package Group already exists: {group_arn}")
            self._groups[name] = {
                **_only(request, ("ModelPackageGroupName", "ModelPackageGroupDescription")),
                "ModelPackageGroupArn": group_arn,
                "CreationTime": now(),
                "CreatedBy": {},
                "ModelPackageGroupStatus": "Completed",
            }
            self._tags.set(group_arn, request.get("Tags", []))
        return {"ModelPackageGroupArn": group_arn}

    def _describe_group(self, request: dict[str, Any]) -> dict[str, Any]:
        return dict(self._group(request["ModelPackageGroupName"]))

    def _delete_group(self, request: dict[str, Any]) -> dict[str, Any]:
        with self._lock:
            group = self._group(request["ModelPackageGroupName"])
            name = group["ModelPackageGroupName"]
            held = sum(package["ModelPackageGroupName"] == name for package in self._packages.values())
            if held:
                raise ConflictException(
                    f"Model Package Group {name} cannot be deleted because it still contains {held} Model Package(s)"
                )
            del self._groups[name]
            self._tags.forget(group["ModelPackageGroupArn"])
        return {}

    def _create(self, request: dict[str, Any]) -> dict[str, Any]:
        if "ModelPackageGroupName" not in request or "ModelPackageName" in request:
            raise ValidationError(
                "ModelPackageName: the local AWS has versioned model packages only;"
                " name their group in ModelPackageGroupName"
            )
        if "Tags" in request:
            raise ValidationError("Tags: a versioned model package has the tags of its group")
        if "InferenceSpecification" not in request:
            raise ValidationError("InferenceSpecification is required")
        _refuse(request, "SourceAlgorithmSpecification", "ValidationSpecification", "ManagedStorageType")
        with self._lock:
            group = self._group(request["ModelPackageGroupName"])["ModelPackageGroupName"]
            token = request.get("ClientToken")
            if token is not None and token in self._tokens:
                return {"ModelPackageArn": self._tokens[token]}
            version = self._latest_version.get(group, 0) + 1
            self._latest_version[group] = version
            package_arn = arn("model-package", f"{group}/{version}")
            created = now()
            kept = {k: v for k, v in request.items() if k not in ("ClientToken", "ModelPackageGroupName")}
            package = {
                "ModelApprovalStatus": PENDING,
                "CertifyForMarketplace": False,
                **kept,
                # AWS names a versioned package after its group here.
                "ModelPackageName": group,
                "ModelPackageGroupName": group,
                "ModelPackageVersion": version,
                "ModelPackageArn": package_arn,
                "CreationTime": created,
                "LastModifiedTime": created,
                "ModelPackageStatus": "Completed",
                "ModelPackageStatusDetails": {"ValidationStatuses": [], "ImageScanStatuses": []},
            }
            self._packages[package_arn] = package
            if token is not None:
                self._tokens[token] = package_arn
        self._announce(package)
        return {"ModelPackageArn": package_arn}

    def _list(self, request: dict[str, Any]) -> dict[str, Any]:
        packages = list(self._packages.values())
        if "ModelPackageGroupName" in request:
            group = self._group(request["ModelPackageGroupName"])["ModelPackageGroupName"]
            packages = [package for package in packages if package["ModelPackageGroupName"] == group]
        elif request.get("ModelPackageType", "Unversioned") == "Unversioned":
            packages = []  # Without a group AWS lists the unversioned packages, and there are none here.
        return PACKAGES.page([_only(package, _PACKAGE_SUMMARY) for package in packages], request)

    def _update(self, request: dict[str, Any]) -> dict[str, Any]:
        _refuse(request, "AdditionalInferenceSpecificationsToAdd", "ModelPackageRegistrationType")
        with self._lock:
            package = self.package(request["ModelPackageArn"])
            package.update(_only(request, _REPLACED))
            metadata = {
                **package.get("CustomerMetadataProperties", {}),
                **request.get("CustomerMetadataProperties", {}),
            }
            for key in request.get("CustomerMetadataPropertiesToRemove", []):
                metadata.pop(key, None)
            if metadata or "CustomerMetadataProperties" in package:
                package["CustomerMetadataProperties"] = metadata
            before = package["ModelApprovalStatus"]
            package["ModelApprovalStatus"] = request.get("ModelApprovalStatus", before)
            package["LastModifiedTime"] = now()
            changed = package["ModelApprovalStatus"] != before
            announced = dict(package)
        if changed:
            self._announce(announced)
        return {"ModelPackageArn": announced["ModelPackageArn"]}

    def _delete(self, request: dict[str, Any]) -> dict[str, Any]:
        with self._lock:
            del self._packages[self.package(request["ModelPackageName"])["ModelPackageArn"]]
        return {}

    def _group(self, name: str) -> dict[str, Any]:
        found = self._groups.get(name_of("model-package-group", name))
        if found is None:
            raise ValidationError(f"ModelPackageGroup {name} does not exist")
        return found

    def _announce(self, package: dict[str, Any]) -> None:
        detail = _only(package, _EVENT_DETAIL)
        detail.update({member: iso(detail[member]) for member in ("CreationTime", "LastModifiedTime")})
        self._events.send("SageMaker Model Package State Change", detail, [package["ModelPackageArn"]])


def _only(item: dict[str, Any], members: tuple[str, ...]) -> dict[str, Any]:
    return {member: item[member] for member in members if member in item}


def _refuse(request: dict[str, Any], *members: str) -> None:
    for member in members:
        if member in request:
            raise ValidationError(f"{member}: the local AWS does not offer this")
