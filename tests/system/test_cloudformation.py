"""CloudFormation on the running program, with boto3's waiters and the AWS CLI: updates by replacement and their
rollback, conditions and mappings, exports, drift."""

import json
import unittest

import botocore.exceptions
from harness import Howdah, eventually

QUICK = {"Delay": 1, "MaxAttempts": 240}


class OnTheRunningProgram(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.howdah = Howdah().start()
        cls.addClassCleanup(cls.howdah.stop)
        cls.cloudformation = cls.howdah.client("cloudformation")

    def await_stack(self, what, name):
        self.cloudformation.get_waiter(f"stack_{what}").wait(StackName=name, WaiterConfig=QUICK)

    def create(self, name, body, **more):
        made = self.cloudformation.create_stack(StackName=name, TemplateBody=body, **more)
        self.await_stack("create_complete", name)
        self.addCleanup(self.delete, made["StackId"])
        return made["StackId"]

    def update(self, name, body, what="update_complete", **more):
        self.cloudformation.update_stack(StackName=name, TemplateBody=body, **more)
        self.await_stack(what, name)

    def await_rollback(self, name):
        eventually(lambda: self.stack(name)["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE", 240, "the rollback", 1)

    def delete(self, name):
        self.cloudformation.delete_stack(StackName=name)
        self.await_stack("delete_complete", name)

    def stack(self, name):
        return self.cloudformation.describe_stacks(StackName=name)["Stacks"][0]

    def outputs(self, name):
        return {one["OutputKey"]: one["OutputValue"] for one in self.stack(name).get("Outputs", [])}

    def resource(self, name, logical_id):
        found = self.cloudformation.describe_stack_resource(StackName=name, LogicalResourceId=logical_id)
        return found["StackResourceDetail"]["PhysicalResourceId"]

    def events(self, name):
        pages = self.cloudformation.get_paginator("describe_stack_events").paginate(StackName=name)
        return [(event["LogicalResourceId"], event["ResourceStatus"], event.get("ResourceStatusReason", ""))
                for page in pages for event in page["StackEvents"]][::-1]

    def refused(self, code, text, call, **arguments):
        with self.assertRaises(botocore.exceptions.ClientError) as raised:
            call(**arguments)
        self.assertEqual(raised.exception.response["Error"]["Code"], code)
        self.assertIn(text, raised.exception.response["Error"]["Message"])

    def network(self):
        return f"10.{self.howdah.octet}"

    def database_template(self):
        return f"""
Parameters:
  Name: {{Type: String, Default: first}}
  Named: {{Type: String, Default: ''}}
Conditions:
  HasName: !Not [!Equals [!Ref Named, '']]
Resources:
  Vpc: {{Type: AWS::EC2::VPC, Properties: {{CidrBlock: {self.network()}.0.0/16}}}}
  A:
    Type: AWS::EC2::Subnet
    Properties:
      VpcId: !Ref Vpc
      CidrBlock: !Select [1, !Cidr [!GetAtt Vpc.CidrBlock, 4, 8]]
      AvailabilityZone: !Select [0, !GetAZs '']
  B:
    Type: AWS::EC2::Subnet
    Properties:
      VpcId: !Ref Vpc
      CidrBlock: !Select [2, !Cidr [!GetAtt Vpc.CidrBlock, 4, 8]]
      AvailabilityZone: !Select [1, !GetAZs '']
  Group:
    Type: AWS::EC2::SecurityGroup
    Properties:
      GroupDescription: the database
      VpcId: !Ref Vpc
      SecurityGroupIngress: [{{IpProtocol: tcp, FromPort: 5432, ToPort: 5432, CidrIp: 127.0.0.1/32}}]
  Subnets:
    Type: AWS::RDS::DBSubnetGroup
    Properties: {{DBSubnetGroupDescription: both, SubnetIds: [!Ref A, !Ref B]}}
  Secret:
    Type: AWS::SecretsManager::Secret
    Properties:
      GenerateSecretString:
        SecretStringTemplate: '{{"username": "dbadmin"}}'
        GenerateStringKey: password
        ExcludePunctuation: true
  Db:
    Type: AWS::RDS::DBInstance
    DeletionPolicy: Delete
    UpdateReplacePolicy: Delete
    Properties:
      DBInstanceIdentifier: !If [HasName, !Ref Named, !Ref AWS::NoValue]
      Engine: postgres
      EngineVersion: '14.17'
      DBInstanceClass: db.t3.micro
      AllocatedStorage: 20
      DBName: !Ref Name
      MasterUsername: !Sub '{{{{resolve:secretsmanager:${{Secret}}:SecretString:username}}}}'
      MasterUserPassword: !Sub '{{{{resolve:secretsmanager:${{Secret}}:SecretString:password}}}}'
      DBSubnetGroupName: !Ref Subnets
      VPCSecurityGroups: [!GetAtt Group.GroupId]
      BackupRetentionPeriod: 0
  Attachment:
    Type: AWS::SecretsManager::SecretTargetAttachment
    Properties: {{SecretId: !Ref Secret, TargetId: !Ref Db, TargetType: AWS::RDS::DBInstance}}
Outputs:
  Address: {{Value: !GetAtt Db.Endpoint.Address, Export: {{Name: !Sub '${{AWS::StackName}}:address'}}}}
"""

    def secret(self, name):
        value = self.howdah.client("secretsmanager").get_secret_value(SecretId=self.resource(name, "Secret"))
        return json.loads(value["SecretString"])

    def ask(self, name, query):
        secret = self.secret(name)
        instance = self.howdah.describe(secret["dbInstanceIdentifier"])
        with self.howdah.connect(instance, secret["password"], dbname=secret["dbname"]) as connection:
            with connection.cursor() as cursor:
                cursor.execute(query)
                answer = cursor.fetchone()[0]
        connection.close()
        return answer

    def test_a_database_is_replaced_and_a_failed_replacement_undone(self):
        body = self.database_template()
        self.create("shop", body)
        first = self.resource("shop", "Db")
        self.assertEqual(self.ask("shop", "select current_database()"), "first")

        changed = self.cloudformation.create_change_set(
            StackName="shop", ChangeSetName="rename", UsePreviousTemplate=True,
            Parameters=[{"ParameterKey": "Name", "ParameterValue": "second"}])
        self.cloudformation.get_waiter("change_set_create_complete").wait(ChangeSetName=changed["Id"])
        changes = self.cloudformation.describe_change_set(ChangeSetName=changed["Id"])["Changes"]
        shown = {one["ResourceChange"]["LogicalResourceId"]: one["ResourceChange"] for one in changes}
        self.assertEqual(shown["Db"]["Replacement"], "True")
        self.assertEqual(shown["Attachment"]["Replacement"], "False")
        detail = shown["Db"]["Details"][0]
        self.assertEqual((detail["Target"]["Name"], detail["Target"]["RequiresRecreation"], detail["ChangeSource"],
                          detail["CausingEntity"]), ("DBName", "Always", "ParameterReference", "Name"))
        self.cloudformation.execute_change_set(ChangeSetName=changed["Id"])
        self.await_stack("update_complete", "shop")

        second = self.resource("shop", "Db")
        self.assertNotEqual(first, second)
        self.assertEqual([one["DBInstanceIdentifier"] for one in self.howdah.rds.describe_db_instances()["DBInstances"]],
                         [second])
        self.assertEqual(self.ask("shop", "select current_database()"), "second")
        self.assertEqual(self.secret("shop")["host"], self.outputs("shop")["Address"])
        story = self.events("shop")
        self.assertIn(("Db", "UPDATE_IN_PROGRESS", "Requested update requires the creation of a new physical resource; "
                       "hence creating one."), story)
        self.assertLess(story.index(("shop", "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", "")),
                        story.index(("Db", "DELETE_IN_PROGRESS", "")))

        # The new instance comes to be, but what comes after it fails: the old one is the stack's again.
        broken = body.replace("Outputs:", "  Wrong:\n    Type: AWS::EC2::Subnet\n    DependsOn: Db\n    Properties: "
                              "{VpcId: !Ref Vpc, CidrBlock: 192.168.7.0/24}\nOutputs:")
        self.cloudformation.update_stack(StackName="shop", TemplateBody=broken,
                                         Parameters=[{"ParameterKey": "Name", "ParameterValue": "third"}])
        self.await_rollback("shop")
        self.assertEqual(self.resource("shop", "Db"), second)
        self.assertEqual(self.stack("shop")["StackStatus"], "UPDATE_ROLLBACK_COMPLETE")
        self.assertEqual([one["DBInstanceIdentifier"] for one in self.howdah.rds.describe_db_instances()["DBInstances"]],
                         [second])
        self.assertEqual(self.ask("shop", "select current_database()"), "second")

        # A name that the template chose cannot be had twice.
        named = [{"ParameterKey": "Name", "ParameterValue": "second"}, {"ParameterKey": "Named", "ParameterValue": "shop-db"}]
        self.update("shop", body, Parameters=named)
        self.assertEqual(self.resource("shop", "Db"), "shop-db")
        named[0]["ParameterValue"] = "fourth"
        self.cloudformation.update_stack(StackName="shop", TemplateBody=body, Parameters=named)
        self.await_rollback("shop")
        self.assertIn(("Db", "UPDATE_FAILED", "CloudFormation cannot update a stack when a custom-named resource requires "
                       "replacing. Rename shop-db and update the stack again."), self.events("shop"))

        # What somebody changed by hand is found.
        self.assertEqual(self.drift("shop"), ("IN_SYNC", {}))
        self.howdah.rds.modify_db_instance(DBInstanceIdentifier="shop-db", AllocatedStorage=25, ApplyImmediately=True)
        self.howdah.await_available("shop-db")
        group = self.resource("shop", "Group")
        self.howdah.ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[
            {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": "10.0.0.0/8"}]}])
        status, found = self.drift("shop")
        self.assertEqual(status, "DRIFTED")
        self.assertEqual(found["Db"], [("/AllocatedStorage", "20", "25", "NOT_EQUAL")])
        self.assertEqual([(path, kind) for path, _, _, kind in found["Group"]], [("/SecurityGroupIngress/1", "ADD")])
        self.assertEqual(set(found), {"Db", "Group"})

    def drift(self, name):
        begun = self.cloudformation.detect_stack_drift(StackName=name)["StackDriftDetectionId"]
        detection = self.cloudformation.describe_stack_drift_detection_status(StackDriftDetectionId=begun)
        self.assertEqual(detection["DetectionStatus"], "DETECTION_COMPLETE", detection)
        drifts = self.cloudformation.describe_stack_resource_drifts(
            StackName=name, StackResourceDriftStatusFilters=["MODIFIED", "DELETED"])["StackResourceDrifts"]
        return detection["StackDriftStatus"], {one["LogicalResourceId"]: [
            (difference["PropertyPath"], difference["ExpectedValue"], difference["ActualValue"],
             difference["DifferenceType"]) for difference in one["PropertyDifferences"]] for one in drifts}

    def test_exports_conditions_and_listings(self):
        second = self.howdah.octet
        exporter = f"""
Mappings: {{Net: {{dev: {{cidr: 10.{second}.32.0/20}}, prod: {{cidr: 10.{second}.48.0/20}}}}}}
Parameters: {{Env: {{Type: String, Default: dev, AllowedValues: [dev, prod]}}}}
Conditions: {{Prod: !Equals [!Ref Env, prod]}}
Resources:
  Vpc: {{Type: AWS::EC2::VPC, Properties: {{CidrBlock: !FindInMap [Net, !Ref Env, cidr]}}}}
  Extra: {{Type: AWS::EC2::SecurityGroup, Condition: Prod, Properties: {{GroupDescription: x, VpcId: !Ref Vpc}}}}
Outputs:
  Vpc: {{Value: !Ref Vpc, Export: {{Name: !Sub '${{AWS::StackName}}-vpc'}}}}
"""
        importer = f"""
Parameters: {{Zone: {{Type: 'AWS::EC2::AvailabilityZone::Name'}}}}
Resources:
  Subnet:
    Type: AWS::EC2::Subnet
    Properties: {{VpcId: !ImportValue net-vpc, CidrBlock: 10.{second}.32.0/24, AvailabilityZone: !Ref Zone}}
"""
        zone = [{"ParameterKey": "Zone", "ParameterValue": "us-west-2b"}]
        self.refused("ValidationError", "does not exist", self.cloudformation.create_stack, StackName="app",
                     TemplateBody=importer, Parameters=[{"ParameterKey": "Zone", "ParameterValue": "mars-1a"}])
        self.refused("ValidationError", "No export named net-vpc found", self.cloudformation.create_stack,
                     StackName="app", TemplateBody=importer, Parameters=zone)
        self.create("net", exporter, EnableTerminationProtection=True)
        self.addCleanup(self.cloudformation.update_termination_protection, StackName="net",
                        EnableTerminationProtection=False)
        self.refused("ValidationError", "TerminationProtection", self.cloudformation.delete_stack, StackName="net")
        app = self.create("app", importer, Parameters=zone)
        exports = self.cloudformation.get_paginator("list_exports").paginate().build_full_result()["Exports"]
        self.assertIn("net-vpc", {one["Name"] for one in exports})
        self.assertEqual(self.cloudformation.list_imports(ExportName="net-vpc")["Imports"], ["app"])
        self.cloudformation.update_stack(StackName="net", TemplateBody=exporter, Parameters=[
            {"ParameterKey": "Env", "ParameterValue": "prod"}])
        self.await_rollback("net")
        self.assertIn("Export net-vpc cannot be updated as it is in use by app",
                      {reason for _, _, reason in self.events("net")})
        self.refused("ValidationError", "No updates are to be performed.", self.cloudformation.update_stack,
                     StackName="net", UsePreviousTemplate=True)
        self.refused("ValidationError", "Number of resources, 501, is greater than maximum allowed, 500",
                     self.cloudformation.validate_template, TemplateBody="Resources:\n" + "".join(
                         f" R{n}: {{Type: 'AWS::EC2::VPC', Properties: {{CidrBlock: x}}}}\n" for n in range(501)))
        self.delete("app")
        listed = self.cloudformation.get_paginator("list_stacks").paginate(StackStatusFilter=["DELETE_COMPLETE"])
        self.assertIn(app, {one["StackId"] for page in listed for one in page["StackSummaries"]})
        template = json.loads(self.howdah.aws("cloudformation", "get-template-summary", "--stack-name", "net",
                                              "--output", "json").stdout)
        self.assertEqual(template["Parameters"][0]["ParameterConstraints"]["AllowedValues"], ["dev", "prod"])
        self.howdah.aws("cloudformation", "update-stack", "--stack-name", "net", "--use-previous-template",
                        "--parameters", "ParameterKey=Env,ParameterValue=prod")
        self.howdah.aws("cloudformation", "wait", "stack-update-complete", "--stack-name", "net")
        self.assertEqual({one["LogicalResourceId"] for one in
                          self.cloudformation.list_stack_resources(StackName="net")["StackResourceSummaries"]},
                         {"Vpc", "Extra"})

    def test_a_network_with_gateways_and_routes(self):
        # Records only, but a usual stack around a database has them.
        second = self.howdah.octet
        body = f"""
Parameters: {{Open: {{Type: String, Default: 'yes'}}}}
Conditions: {{IsOpen: !Equals [!Ref Open, 'yes']}}
Resources:
  Vpc: {{Type: AWS::EC2::VPC, Properties: {{CidrBlock: 10.{second}.64.0/20}}}}
  Public: {{Type: AWS::EC2::Subnet, Properties: {{VpcId: !Ref Vpc, CidrBlock: 10.{second}.64.0/24}}}}
  Private: {{Type: AWS::EC2::Subnet, Properties: {{VpcId: !Ref Vpc, CidrBlock: 10.{second}.65.0/24}}}}
  Internet: {{Type: AWS::EC2::InternetGateway, Properties: {{Tags: [{{Key: Name, Value: net}}]}}}}
  Attached:
    Type: AWS::EC2::VPCGatewayAttachment
    Properties: {{VpcId: !Ref Vpc, InternetGatewayId: !Ref Internet}}
  Address: {{Type: AWS::EC2::EIP, DependsOn: Attached, Properties: {{Domain: vpc}}}}
  Nat:
    Type: AWS::EC2::NatGateway
    Properties: {{AllocationId: !GetAtt Address.AllocationId, SubnetId: !Ref Public}}
  Outside: {{Type: AWS::EC2::RouteTable, Properties: {{VpcId: !Ref Vpc}}}}
  Inside: {{Type: AWS::EC2::RouteTable, Properties: {{VpcId: !Ref Vpc}}}}
  ToInternet:
    Type: AWS::EC2::Route
    DependsOn: Attached
    Properties: {{RouteTableId: !Ref Outside, DestinationCidrBlock: 0.0.0.0/0, GatewayId: !Ref Internet}}
  ToNat:
    Type: AWS::EC2::Route
    Properties: {{RouteTableId: !Ref Inside, DestinationCidrBlock: 0.0.0.0/0, NatGatewayId: !Ref Nat}}
  PublicRoutes:
    Type: AWS::EC2::SubnetRouteTableAssociation
    Properties: {{SubnetId: !Ref Public, RouteTableId: !Ref Outside}}
  PrivateRoutes:
    Type: AWS::EC2::SubnetRouteTableAssociation
    Properties: {{SubnetId: !Ref Private, RouteTableId: !If [IsOpen, !Ref Inside, !Ref Outside]}}
Outputs:
  Ip: {{Value: !Ref Address}}
"""
        self.create("gates", body)
        self.assertEqual(self.drift("gates"), ("IN_SYNC", {}))
        first = self.resource("gates", "PrivateRoutes")
        self.cloudformation.update_stack(StackName="gates", UsePreviousTemplate=True, Parameters=[
            {"ParameterKey": "Open", "ParameterValue": "no"}])
        self.await_stack("update_complete", "gates")
        self.assertNotEqual(self.resource("gates", "PrivateRoutes"), first, "another table is another association")
        self.assertEqual(self.drift("gates"), ("IN_SYNC", {}))
        self.howdah.ec2.delete_route(RouteTableId=self.resource("gates", "Inside"), DestinationCidrBlock="0.0.0.0/0")
        self.assertEqual(self.drift("gates"), ("DRIFTED", {"ToNat": []}))
        self.delete("gates")
        self.assertEqual(self.howdah.ec2.describe_addresses()["Addresses"], [])


if __name__ == "__main__":
    unittest.main()
