#!/usr/bin/env python3
"""Trims the API models of an installed botocore (2026 or newer) into api/<service>.json.

Run by hand when operations are added: `python3 tools/trim_models.py`. What stays is what the wire
needs (operations that Howdah serves and the shapes that they reach, names, bounds, errors) and the
names of all operations of the service, so that an unserved operation can be told from an unknown
one. Prose does not stay. api/howdah.json, our own operator API, is written by hand in the same form.
"""

import json
import pathlib
import sys

import botocore.session

SERVED = {
    "rds": """
        CreateDBInstance DescribeDBInstances ModifyDBInstance DeleteDBInstance RebootDBInstance
        StartDBInstance StopDBInstance CreateDBSubnetGroup DescribeDBSubnetGroups ModifyDBSubnetGroup
        DeleteDBSubnetGroup DescribeDBParameterGroups DescribeDBParameters DescribeDBEngineVersions
        DescribeOrderableDBInstanceOptions DescribeCertificates DescribeAccountAttributes
        DescribeEvents DescribeEventCategories DescribeOptionGroups DescribePendingMaintenanceActions
        DescribeDBSnapshots DescribeEngineDefaultParameters AddTagsToResource RemoveTagsFromResource
        ListTagsForResource DescribeDBMajorEngineVersions DescribeValidDBInstanceModifications
        DescribeDBSecurityGroups DescribeSourceRegions DescribeReservedDBInstances
        DescribeReservedDBInstancesOfferings CreateDBSnapshot CopyDBSnapshot DeleteDBSnapshot
        ModifyDBSnapshot ModifyDBSnapshotAttribute DescribeDBSnapshotAttributes
        RestoreDBInstanceFromDBSnapshot RestoreDBInstanceToPointInTime
        DescribeDBInstanceAutomatedBackups DeleteDBInstanceAutomatedBackup""",
    "sts": "GetCallerIdentity",
    "ec2": """
        CreateVpc DescribeVpcs DeleteVpc ModifyVpcAttribute DescribeVpcAttribute CreateSubnet
        DescribeSubnets DeleteSubnet ModifySubnetAttribute CreateSecurityGroup DescribeSecurityGroups
        DeleteSecurityGroup AuthorizeSecurityGroupIngress AuthorizeSecurityGroupEgress
        RevokeSecurityGroupIngress RevokeSecurityGroupEgress DescribeSecurityGroupRules
        ModifySecurityGroupRules DescribeAvailabilityZones DescribeRegions DescribeNetworkInterfaces
        CreateNetworkInterface DeleteNetworkInterface DescribeNetworkAcls DescribeRouteTables
        CreateTags DeleteTags DescribeTags DescribeAccountAttributes CreateDefaultVpc
        AttachNetworkInterface DetachNetworkInterface ModifyNetworkInterfaceAttribute
        DescribeNetworkInterfaceAttribute CreateNetworkAclEntry ReplaceNetworkAclEntry
        DeleteNetworkAclEntry CreateInternetGateway DescribeInternetGateways AttachInternetGateway
        DetachInternetGateway DeleteInternetGateway CreateRouteTable DeleteRouteTable CreateRoute
        ReplaceRoute DeleteRoute AssociateRouteTable DisassociateRouteTable
        ReplaceRouteTableAssociation AllocateAddress ReleaseAddress DescribeAddresses
        AssociateAddress DisassociateAddress DescribeAddressesAttribute CreateNatGateway
        DescribeNatGateways DeleteNatGateway UpdateSecurityGroupRuleDescriptionsIngress
        UpdateSecurityGroupRuleDescriptionsEgress GetSecurityGroupsForVpc
        DescribeSecurityGroupReferences DescribeStaleSecurityGroups DescribeDhcpOptions
        AssociateDhcpOptions DescribePrefixLists DescribeManagedPrefixLists CreateVpcEndpoint
        DescribeVpcEndpoints DeleteVpcEndpoints DescribeVpcEndpointServices""",
    "secretsmanager": """
        CreateSecret DescribeSecret GetSecretValue PutSecretValue UpdateSecret DeleteSecret
        RestoreSecret ListSecrets ListSecretVersionIds GetResourcePolicy TagResource UntagResource
        GetRandomPassword UpdateSecretVersionStage BatchGetSecretValue""",
    "cloudformation": """
        CreateStack DeleteStack DescribeStacks DescribeStackEvents DescribeStackResources
        DescribeStackResource ListStackResources ListStacks GetTemplate GetTemplateSummary
        ValidateTemplate CreateChangeSet DescribeChangeSet ExecuteChangeSet DeleteChangeSet
        ListChangeSets UpdateStack CancelUpdateStack ContinueUpdateRollback RollbackStack
        UpdateTerminationProtection ListExports ListImports DetectStackDrift DetectStackResourceDrift
        DescribeStackDriftDetectionStatus DescribeStackResourceDrifts""",
}

# Lists that AWS leaves out where they do not apply, and that Howdah never fills: an empty one would be written, and
# clients look whether PendingModifiedValues is empty as a whole.
LEFT_OUT = {("DBInstance", "ProcessorFeatures"), ("PendingModifiedValues", "ProcessorFeatures")}

SHAPE_TRAITS = ("type", "required", "enum", "min", "max", "pattern", "sensitive", "flattened",
                "timestampFormat", "error", "exception", "fault", "locationName")
REFERENCE_TRAITS = ("shape", "locationName", "queryName", "flattened", "timestampFormat",
                    "xmlNamespace")
METADATA = ("apiVersion", "protocol", "jsonVersion", "targetPrefix", "serviceId", "xmlNamespace")


def pick(source, names):
    return {name: source[name] for name in names if name in source}


def trim_shape(name, shape):
    """The shape without prose, and the names of the shapes that it refers to."""
    kept = pick(shape, SHAPE_TRAITS)
    reached = []
    if "members" in shape:
        kept["members"] = {}
        for member_name, member in shape["members"].items():
            if (name, member_name) in LEFT_OUT:
                continue
            kept["members"][member_name] = pick(member, REFERENCE_TRAITS)
            reached.append(member["shape"])
    for part in ("member", "key", "value"):
        if part in shape:
            kept[part] = pick(shape[part], REFERENCE_TRAITS)
            reached.append(shape[part]["shape"])
    return kept, reached


def trim_operation(operation):
    kept = {}
    reached = []
    for side in ("input", "output"):
        if side in operation:
            kept[side] = operation[side]["shape"]
            reached.append(operation[side]["shape"])
    if "resultWrapper" in operation.get("output", {}):
        kept["resultWrapper"] = operation["output"]["resultWrapper"]
    kept["errors"] = sorted(error["shape"] for error in operation.get("errors", []))
    return kept, reached + kept["errors"]


def trim(model, endpoint_prefix, served):
    operations = {}
    todo = []
    for name in served:
        operations[name], reached = trim_operation(model["operations"][name])
        todo += reached
    shapes = {}
    while todo:
        name = todo.pop()
        if name not in shapes:
            shapes[name], reached = trim_shape(name, model["shapes"][name])
            todo += reached
    metadata = pick(model["metadata"], METADATA)
    metadata["signingName"] = model["metadata"].get("signingName", endpoint_prefix)
    return {
        "metadata": metadata,
        "operations": dict(sorted(operations.items())),
        "shapes": dict(sorted(shapes.items())),
        "all_operations": sorted(model["operations"]),
    }


def main():
    target = pathlib.Path(__file__).resolve().parent.parent / "api"
    loader = botocore.session.get_session().get_component("data_loader")
    for service, names in SERVED.items():
        model = loader.load_service_model(service, "service-2")
        trimmed = trim(model, model["metadata"]["endpointPrefix"], names.split())
        path = target / f"{service}.json"
        path.write_text(json.dumps(trimmed, indent=1, sort_keys=False) + "\n")
        print(f"{path.name}: {len(trimmed['operations'])} of {len(trimmed['all_operations'])} "
              f"operations, {len(trimmed['shapes'])} shapes", file=sys.stderr)


if __name__ == "__main__":
    main()
