// The AWS SDK for JavaScript v3 against a daemon: the calls of a life, waiters, paginators and error classes.
// Endpoint, keys and region come from the environment, as `howdah env` says them.
import assert from "node:assert/strict";
import * as cloudformation from "@aws-sdk/client-cloudformation";
import * as ec2 from "@aws-sdk/client-ec2";
import * as rds from "@aws-sdk/client-rds";
import * as secrets from "@aws-sdk/client-secrets-manager";
import * as sts from "@aws-sdk/client-sts";

const octet = process.env.OCTET;
const version = process.env.ENGINE_VERSION;
const settings = { maxAttempts: 1 };
const waiting = (client) => ({ client, minDelay: 1, maxDelay: 1, maxWaitTime: 90 });

// The promise must be rejected with this error name, HTTP status and, where given, class.
async function refused(promise, name, status, type) {
  const error = await promise.then(() => assert.fail(`accepted, not ${name}`), (reason) => reason);
  assert.equal(error.name, name, String(error));
  assert.equal(error.$metadata?.httpStatusCode, status, String(error));
  assert.ok(error.$metadata.requestId, "no request id");
  if (type) assert.ok(error instanceof type, `${error.name} is no ${type.name}`);
}

async function identity() {
  const who = await new sts.STS(settings).getCallerIdentity({});
  assert.match(who.Account, /^\d{12}$/);
  assert.match(who.Arn, /^arn:aws:(iam|sts)::\d{12}:/);
}

async function network() {
  const client = new ec2.EC2(settings);
  const vpc = (await client.createVpc({
    CidrBlock: `10.${octet}.0.0/16`,
    TagSpecifications: [{ ResourceType: "vpc", Tags: [{ Key: "Name", Value: "js" }] }],
  })).Vpc;
  await ec2.waitUntilVpcAvailable(waiting(client), { VpcIds: [vpc.VpcId] });
  const zones = (await client.describeAvailabilityZones({})).AvailabilityZones.map((zone) => zone.ZoneName);
  const subnets = [];
  for (const i of [0, 1]) {
    const { Subnet } = await client.createSubnet({
      VpcId: vpc.VpcId, CidrBlock: `10.${octet}.${i + 1}.0/24`, AvailabilityZone: zones[i] });
    subnets.push(Subnet.SubnetId);
  }
  await ec2.waitUntilSubnetAvailable(waiting(client), { SubnetIds: subnets });
  const group = (await client.createSecurityGroup({ VpcId: vpc.VpcId, GroupName: "db", Description: "database" })).GroupId;
  const permission = { IpProtocol: "tcp", FromPort: 5432, ToPort: 5432, IpRanges: [{ CidrIp: `10.${octet}.0.0/16` }] };
  const made = await client.authorizeSecurityGroupIngress({ GroupId: group, IpPermissions: [permission] });
  assert.match(made.SecurityGroupRules[0].SecurityGroupRuleId, /^sgr-/);
  await refused(client.authorizeSecurityGroupIngress({ GroupId: group, IpPermissions: [permission] }),
    "InvalidPermission.Duplicate", 400);
  await refused(client.describeVpcs({ VpcIds: ["vpc-00000000000000000"] }), "InvalidVpcID.NotFound", 400);
  const rules = [];
  for await (const page of ec2.paginateDescribeSecurityGroupRules({ client, pageSize: 5 },
    { Filters: [{ Name: "group-id", Values: [group] }] })) rules.push(...page.SecurityGroupRules);
  assert.deepEqual(rules.map((rule) => rule.IsEgress).sort(), [false, true]);
  return { client, vpc: vpc.VpcId, subnets, group };
}

async function instance({ subnets, group }) {
  const client = new rds.RDS(settings);
  await client.createDBSubnetGroup({
    DBSubnetGroupName: "subnets", DBSubnetGroupDescription: "both", SubnetIds: subnets });
  const wish = {
    DBInstanceIdentifier: "js-db", Engine: "postgres", EngineVersion: version, DBInstanceClass: "db.t3.micro",
    AllocatedStorage: 20, DBName: "appdb", MasterUsername: "dbadmin", MasterUserPassword: "a-password-0",
    DBSubnetGroupName: "subnets", VpcSecurityGroupIds: [group], BackupRetentionPeriod: 0,
    Tags: [{ Key: "By", Value: "js \u00fc a@b:c/d=e+f" }],
  };
  const created = (await client.createDBInstance(wish)).DBInstance;
  assert.equal(created.DBInstanceStatus, "creating");
  assert.equal(created.Endpoint, undefined);
  await refused(client.createDBInstance(wish), "DBInstanceAlreadyExistsFault", 400, rds.DBInstanceAlreadyExistsFault);
  await refused(client.createDBInstance({ ...wish, DBInstanceIdentifier: "two", EngineVersion: "99.9" }),
    "InvalidParameterCombination", 400);
  await refused(client.describeDBInstances({ DBInstanceIdentifier: "none" }), "DBInstanceNotFoundFault", 404,
    rds.DBInstanceNotFoundFault);
  await rds.waitUntilDBInstanceAvailable(waiting(client), { DBInstanceIdentifier: "js-db" });
  const byId = await client.describeDBInstances({
    Filters: [{ Name: "dbi-resource-id", Values: [created.DbiResourceId] }] });
  const [found] = byId.DBInstances;
  assert.equal(found.DBInstanceIdentifier, "js-db");
  assert.match(found.Endpoint.Address, new RegExp(`^127\\.${octet}\\.`));
  assert.ok(found.InstanceCreateTime instanceof Date && found.InstanceCreateTime.getTime() <= Date.now());
  assert.deepEqual(found.TagList, [{ Key: "By", Value: "js \u00fc a@b:c/d=e+f" }]);
  const versions = [];
  for await (const page of rds.paginateDescribeDBEngineVersions({ client, pageSize: 20 }, { Engine: "postgres" })) {
    versions.push(...page.DBEngineVersions.map((one) => one.EngineVersion));
  }
  assert.ok(versions.includes(version));
  // Dates travel with milliseconds from this client.
  const { Events } = await client.describeEvents({ StartTime: new Date(Date.now() - 600000), SourceType: "db-instance" });
  assert.ok(Events.some((event) => event.SourceIdentifier === "js-db" && event.Date instanceof Date));
  await refused(client.createDBCluster({ DBClusterIdentifier: "c", Engine: "aurora-postgresql" }), "InvalidAction", 400);
  await client.deleteDBInstance({ DBInstanceIdentifier: "js-db", SkipFinalSnapshot: true });
  await rds.waitUntilDBInstanceDeleted(waiting(client), { DBInstanceIdentifier: "js-db" });
  await client.deleteDBSubnetGroup({ DBSubnetGroupName: "subnets" });
}

async function secret() {
  const client = new secrets.SecretsManager(settings);
  const created = await client.createSecret({ Name: "js/secret", SecretString: "{\"n\":1}" });
  assert.match(created.ARN, /:secret:js\/secret-[A-Za-z0-9]{6}$/);
  const bytes = new Uint8Array([0, 1, 254, 255]);
  await client.putSecretValue({ SecretId: "js/secret", SecretBinary: bytes });
  const read = await client.getSecretValue({ SecretId: created.ARN });
  assert.deepEqual(new Uint8Array(read.SecretBinary), bytes);
  assert.ok(read.CreatedDate instanceof Date);
  const before = await client.getSecretValue({ SecretId: "js/secret", VersionStage: "AWSPREVIOUS" });
  assert.equal(before.SecretString, "{\"n\":1}");
  await refused(client.getSecretValue({ SecretId: "none" }), "ResourceNotFoundException", 400,
    secrets.ResourceNotFoundException);
  await refused(client.createSecret({ Name: "js/secret", SecretString: "y" }), "ResourceExistsException", 400,
    secrets.ResourceExistsException);
  await refused(client.replicateSecretToRegions({ SecretId: "js/secret", AddReplicaRegions: [{ Region: "us-east-1" }] }),
    "UnknownOperationException", 400);
  const names = [];
  for await (const page of secrets.paginateListSecrets({ client, pageSize: 1 }, {})) {
    names.push(...page.SecretList.map((one) => one.Name));
  }
  assert.ok(names.includes("js/secret") && names.length === new Set(names).size);
  await client.deleteSecret({ SecretId: "js/secret", ForceDeleteWithoutRecovery: true });
}

async function stack() {
  const client = new cloudformation.CloudFormation(settings);
  const template = JSON.stringify({ Resources: { One: { Type: "AWS::SecretsManager::Secret",
    Properties: { Name: "js-stack", SecretString: "x" } } }, Outputs: { Arn: { Value: { Ref: "One" } } } });
  await client.createStack({ StackName: "js", TemplateBody: template });
  await cloudformation.waitUntilStackCreateComplete(waiting(client), { StackName: "js" });
  const { Stacks } = await client.describeStacks({ StackName: "js" });
  assert.match(Stacks[0].Outputs[0].OutputValue, /:secret:js-stack-/);
  await refused(client.describeStacks({ StackName: "none" }), "ValidationError", 400);
  await client.deleteStack({ StackName: "js" });
  await cloudformation.waitUntilStackDeleteComplete(waiting(client), { StackName: Stacks[0].StackId });
}

await identity();
const made = await network();
await Promise.all([instance(made), secret(), stack()]);
await made.client.deleteSecurityGroup({ GroupId: made.group });
for (const SubnetId of made.subnets) await made.client.deleteSubnet({ SubnetId });
await made.client.deleteVpc({ VpcId: made.vpc });
await refused(made.client.describeVpcs({ VpcIds: [made.vpc] }), "InvalidVpcID.NotFound", 400);
console.log("everything passed");
