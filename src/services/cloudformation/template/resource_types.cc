// The tables. A type that is added here needs its provider in ../providers.
#include "services/cloudformation/template/resource_types.h"

#include <algorithm>
#include <array>

namespace howdah::cfn {

namespace {

using enum PropertyKind;
constexpr bool kRequired = true;
constexpr bool kOptional = false;
constexpr OnChange kInPlace = OnChange::kInPlace;
constexpr OnChange kDepends = OnChange::kConditional;

constexpr Property kTag[] = {{"Key", kString, kRequired}, {"Value", kString, kRequired}};
constexpr Property kTags = {"Tags", kObjects, kOptional, kInPlace, kTag};

constexpr Property kVpc[] = {
    {"CidrBlock", kString, kRequired},
    {"EnableDnsHostnames", kBoolean, kOptional, kInPlace},
    {"EnableDnsSupport", kBoolean, kOptional, kInPlace},
    {"InstanceTenancy", kString, kOptional, kDepends},
    kTags,
};
constexpr std::string_view kVpcAttributes[] = {"VpcId", "CidrBlock", "DefaultSecurityGroup"};

constexpr Property kSubnet[] = {
    {"AvailabilityZone", kString},
    {"CidrBlock", kString, kRequired},
    {"MapPublicIpOnLaunch", kBoolean, kOptional, kInPlace},
    {"VpcId", kString, kRequired},
    kTags,
};
constexpr std::string_view kSubnetAttributes[] = {"SubnetId", "AvailabilityZone", "CidrBlock",
                                                  "VpcId"};

constexpr Property kIngressRule[] = {
    {"CidrIp", kString},
    {"CidrIpv6", kString},
    {"Description", kString},
    {"FromPort", kInteger},
    {"IpProtocol", kString, kRequired},
    {"SourceSecurityGroupId", kString},
    {"ToPort", kInteger},
};
constexpr Property kEgressRule[] = {
    {"CidrIp", kString},      {"CidrIpv6", kString},
    {"Description", kString}, {"DestinationSecurityGroupId", kString},
    {"FromPort", kInteger},   {"IpProtocol", kString, kRequired},
    {"ToPort", kInteger},
};
constexpr Property kSecurityGroup[] = {
    {"GroupDescription", kString, kRequired},
    {"GroupName", kString},
    {"SecurityGroupEgress", kObjects, kOptional, kInPlace, kEgressRule},
    {"SecurityGroupIngress", kObjects, kOptional, kInPlace, kIngressRule},
    kTags,
    {"VpcId", kString},
};
constexpr std::string_view kSecurityGroupAttributes[] = {"GroupId", "VpcId"};

constexpr Property kSecurityGroupIngress[] = {
    {"CidrIp", kString},
    {"CidrIpv6", kString},
    {"Description", kString, kOptional, kInPlace},
    {"FromPort", kInteger},
    {"GroupId", kString, kRequired},
    {"IpProtocol", kString, kRequired},
    {"SourceSecurityGroupId", kString},
    {"ToPort", kInteger},
};
constexpr Property kSecurityGroupEgress[] = {
    {"CidrIp", kString},
    {"CidrIpv6", kString},
    {"Description", kString, kOptional, kInPlace},
    {"DestinationSecurityGroupId", kString},
    {"FromPort", kInteger},
    {"GroupId", kString, kRequired},
    {"IpProtocol", kString, kRequired},
    {"ToPort", kInteger},
};
constexpr std::string_view kIdAttribute[] = {"Id"};

constexpr Property kNetworkInterface[] = {
    {"Description", kString, kOptional, kInPlace},
    {"GroupSet", kStrings, kOptional, kInPlace},
    {"PrivateIpAddress", kString},
    {"SubnetId", kString, kRequired},
    kTags,
};
constexpr std::string_view kNetworkInterfaceAttributes[] = {"Id", "PrimaryPrivateIpAddress",
                                                            "VpcId"};

constexpr Property kInternetGateway[] = {kTags};
constexpr std::string_view kInternetGatewayAttributes[] = {"InternetGatewayId"};

constexpr Property kVpcGatewayAttachment[] = {
    {"InternetGatewayId", kString, kRequired, kInPlace},
    {"VpcId", kString, kRequired},
};
constexpr std::string_view kVpcGatewayAttachmentAttributes[] = {"AttachmentType"};

constexpr Property kAddress[] = {{"Domain", kString}, kTags};
constexpr std::string_view kAddressAttributes[] = {"AllocationId", "PublicIp"};

constexpr Property kNatGateway[] = {
    {"AllocationId", kString},
    {"ConnectivityType", kString},
    {"PrivateIpAddress", kString},
    {"SubnetId", kString, kRequired},
    kTags,
};
constexpr std::string_view kNatGatewayAttributes[] = {"NatGatewayId"};

constexpr Property kRouteTable[] = {kTags, {"VpcId", kString, kRequired}};
constexpr std::string_view kRouteTableAttributes[] = {"RouteTableId"};

constexpr Property kRoute[] = {
    {"DestinationCidrBlock", kString},
    {"DestinationIpv6CidrBlock", kString},
    {"GatewayId", kString, kOptional, kInPlace},
    {"NatGatewayId", kString, kOptional, kInPlace},
    {"NetworkInterfaceId", kString, kOptional, kInPlace},
    {"RouteTableId", kString, kRequired},
};
constexpr std::string_view kRouteAttributes[] = {"CidrBlock"};

constexpr Property kSubnetRouteTableAssociation[] = {
    {"RouteTableId", kString, kRequired, kInPlace},
    {"SubnetId", kString, kRequired},
};

constexpr Property kDBSubnetGroup[] = {
    {"DBSubnetGroupDescription", kString, kRequired, kInPlace},
    {"DBSubnetGroupName", kString},
    {"SubnetIds", kStrings, kRequired, kInPlace},
    kTags,
};

// RDS itself refuses what it does not serve yet (encryption, log exports and so on).
constexpr Property kDBInstance[] = {
    {"AllocatedStorage", kInteger, kOptional, kInPlace},
    {"AllowMajorVersionUpgrade", kBoolean, kOptional, kInPlace},
    {"AutoMinorVersionUpgrade", kBoolean, kOptional, kInPlace},
    {"AvailabilityZone", kString, kOptional, kDepends},
    {"BackupRetentionPeriod", kInteger, kOptional, kInPlace},
    {"CACertificateIdentifier", kString, kOptional, kInPlace},
    {"CopyTagsToSnapshot", kBoolean, kOptional, kInPlace},
    {"DBInstanceClass", kString, kRequired, kInPlace},
    {"DBInstanceIdentifier", kString},
    {"DBName", kString},
    {"DBParameterGroupName", kString, kOptional, kInPlace},
    {"DBSnapshotIdentifier", kString},
    {"DBSubnetGroupName", kString},
    {"DeletionProtection", kBoolean, kOptional, kInPlace},
    {"EnableCloudwatchLogsExports", kStrings, kOptional, kInPlace},
    {"EnableIAMDatabaseAuthentication", kBoolean, kOptional, kInPlace},
    {"EnablePerformanceInsights", kBoolean, kOptional, kInPlace},
    {"Engine", kString, kOptional, kDepends},  // not of one that is restored
    {"EngineVersion", kString, kOptional, kInPlace},
    {"Iops", kInteger, kOptional, kInPlace},
    {"KmsKeyId", kString},
    {"LicenseModel", kString, kOptional, kInPlace},
    {"ManageMasterUserPassword", kBoolean, kOptional, kInPlace},
    {"MasterUserPassword", kString, kOptional, kInPlace},
    {"MasterUsername", kString},
    {"MaxAllocatedStorage", kInteger, kOptional, kInPlace},
    {"MonitoringInterval", kInteger, kOptional, kInPlace},
    {"MonitoringRoleArn", kString, kOptional, kInPlace},
    {"MultiAZ", kBoolean, kOptional, kInPlace},
    {"OptionGroupName", kString, kOptional, kInPlace},
    {"Port", kInteger},
    {"PreferredBackupWindow", kString, kOptional, kInPlace},
    {"PreferredMaintenanceWindow", kString, kOptional, kInPlace},
    {"PubliclyAccessible", kBoolean, kOptional, kInPlace},
    {"RestoreTime", kString},
    {"SourceDBInstanceAutomatedBackupsArn", kString},
    {"SourceDBInstanceIdentifier", kString},
    {"SourceDbiResourceId", kString},
    {"StorageEncrypted", kBoolean},
    {"StorageThroughput", kInteger, kOptional, kInPlace},
    {"StorageType", kString, kOptional, kInPlace},
    kTags,
    {"UseLatestRestorableTime", kBoolean},
    {"VPCSecurityGroups", kStrings, kOptional, kInPlace},
};
constexpr std::string_view kDBInstanceAttributes[] = {"Endpoint.Address", "Endpoint.Port",
                                                      "DBInstanceArn", "DbiResourceId"};

constexpr Property kGenerateSecretString[] = {
    {"ExcludeCharacters", kString},
    {"ExcludeLowercase", kBoolean},
    {"ExcludeNumbers", kBoolean},
    {"ExcludePunctuation", kBoolean},
    {"ExcludeUppercase", kBoolean},
    {"GenerateStringKey", kString},
    {"IncludeSpace", kBoolean},
    {"PasswordLength", kInteger},
    {"RequireEachIncludedType", kBoolean},
    {"SecretStringTemplate", kString},
};
constexpr Property kSecret[] = {
    {"Description", kString, kOptional, kInPlace},
    {"GenerateSecretString", kObject, kOptional, kInPlace, kGenerateSecretString},
    {"KmsKeyId", kString, kOptional, kInPlace},
    {"Name", kString},
    {"SecretString", kString, kOptional, kInPlace},
    kTags,
};

constexpr Property kSecretTargetAttachment[] = {
    {"SecretId", kString, kRequired},
    {"TargetId", kString, kRequired, kInPlace},
    {"TargetType", kString, kRequired, kInPlace},
};

constexpr ResourceType kTypes[] = {
    {"AWS::EC2::VPC", kVpc, kVpcAttributes},
    {"AWS::EC2::Subnet", kSubnet, kSubnetAttributes},
    {"AWS::EC2::SecurityGroup", kSecurityGroup, kSecurityGroupAttributes},
    {"AWS::EC2::SecurityGroupIngress", kSecurityGroupIngress, kIdAttribute},
    {"AWS::EC2::SecurityGroupEgress", kSecurityGroupEgress, kIdAttribute},
    {"AWS::EC2::NetworkInterface", kNetworkInterface, kNetworkInterfaceAttributes},
    {"AWS::EC2::InternetGateway", kInternetGateway, kInternetGatewayAttributes},
    {"AWS::EC2::VPCGatewayAttachment", kVpcGatewayAttachment, kVpcGatewayAttachmentAttributes},
    {"AWS::EC2::EIP", kAddress, kAddressAttributes},
    {"AWS::EC2::NatGateway", kNatGateway, kNatGatewayAttributes},
    {"AWS::EC2::RouteTable", kRouteTable, kRouteTableAttributes},
    {"AWS::EC2::Route", kRoute, kRouteAttributes},
    {"AWS::EC2::SubnetRouteTableAssociation", kSubnetRouteTableAssociation, kIdAttribute},
    {"AWS::RDS::DBSubnetGroup", kDBSubnetGroup, {}, "DBSubnetGroupName"},
    {"AWS::RDS::DBInstance", kDBInstance, kDBInstanceAttributes, "DBInstanceIdentifier"},
    {"AWS::SecretsManager::Secret", kSecret, kIdAttribute},
    {"AWS::SecretsManager::SecretTargetAttachment", kSecretTargetAttachment, kIdAttribute},
};

}  // namespace

const Property* FindProperty(std::span<const Property> properties, std::string_view name) {
  const auto found = std::ranges::find(properties, name, &Property::name);
  return found == properties.end() ? nullptr : &*found;
}

const Property* ResourceType::Find(std::string_view property) const {
  return FindProperty(properties, property);
}

bool ResourceType::HasAttribute(std::string_view attribute) const {
  return std::ranges::find(attributes, attribute) != attributes.end();
}

std::span<const ResourceType> ResourceTypes() {
  return kTypes;
}

const ResourceType* FindResourceType(std::string_view name) {
  const auto found = std::ranges::find(kTypes, name, &ResourceType::name);
  return found == std::end(kTypes) ? nullptr : &*found;
}

}  // namespace howdah::cfn
