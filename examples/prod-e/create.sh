#!/usr/bin/env bash
# Makes the stack prod-e with plain calls of the AWS CLI, on AWS or on Howdah.
#
# On Howdah first: eval "$(howdah env)". Debian's AWS CLI 2.9 does not know AWS_ENDPOINT_URL, so the
# calls name the endpoint themselves. The password is generated, goes into the secret and to the
# instance, and is in no argument list and on no screen.
set -euo pipefail

network=${PROD_E_NETWORK:-10.0} # first half of the addresses: 10.0 is 10.0.0.0/16
region=${AWS_REGION:-us-west-2}
user=dbadmin

aws() {
  command "${AWS_CLI:-aws}" --region "$region" ${AWS_ENDPOINT_URL:+--endpoint-url "$AWS_ENDPOINT_URL"} "$@"
}

# id QUERY CALL…: one value of an answer.
id() {
  local query=$1
  shift
  aws "$@" --query "$query" --output text
}

# tag KIND NAME: the argument of --tag-specifications.
tag() { printf 'ResourceType=%s,Tags=[{Key=Name,Value=%s}]' "$1" "$2"; }

say() { printf '%s\n' "$*" >&2; }

say "network"
vpc=$(id Vpc.VpcId ec2 create-vpc --cidr-block "$network.0.0/16" --tag-specifications "$(tag vpc prod-e-vpc)")
aws ec2 wait vpc-available --vpc-ids "$vpc"
subnet_a=$(id Subnet.SubnetId ec2 create-subnet --vpc-id "$vpc" --cidr-block "$network.1.0/24" \
  --availability-zone "${region}a" --tag-specifications "$(tag subnet private-subnet-a)")
subnet_b=$(id Subnet.SubnetId ec2 create-subnet --vpc-id "$vpc" --cidr-block "$network.2.0/24" \
  --availability-zone "${region}b" --tag-specifications "$(tag subnet private-subnet-b)")
aws ec2 wait subnet-available --subnet-ids "$subnet_a" "$subnet_b"

say "security groups"
ecs_group=$(id GroupId ec2 create-security-group --vpc-id "$vpc" --group-name ecs-security-group \
  --description "Tasks that may use the database")
db_group=$(id GroupId ec2 create-security-group --vpc-id "$vpc" --group-name db-security-group \
  --description "The database, open to ecs-security-group and to nothing else")
aws ec2 authorize-security-group-ingress --group-id "$db_group" --protocol tcp --port 5432 \
  --source-group "$ecs_group" >/dev/null

say "secret"
password=$(id RandomPassword secretsmanager get-random-password --password-length 32 \
  --exclude-characters "\"@/\\' ")
# printf is the shell's own, and the file descriptor is private: no other process sees the password.
secret=$(id ARN secretsmanager create-secret --name prod-e/db-credentials \
  --description "Master user of prod-e-db" --secret-string \
  file://<(printf '{"username":"%s","password":"%s"}' "$user" "$password"))

say "database"
aws rds create-db-subnet-group --db-subnet-group-name db-subnet-group \
  --db-subnet-group-description "Private subnets of prod-e" --subnet-ids "$subnet_a" "$subnet_b" >/dev/null
aws rds create-db-instance --master-user-password file://<(printf %s "$password") \
  --db-instance-identifier prod-e-db --engine postgres --engine-version 14.17 \
  --db-instance-class db.t3.micro --allocated-storage 20 --storage-type gp2 --multi-az \
  --db-name appdb --port 5432 --master-username "$user" --db-subnet-group-name db-subnet-group \
  --vpc-security-group-ids "$db_group" --no-publicly-accessible \
  --backup-retention-period "${PROD_E_BACKUP_DAYS:-7}" >/dev/null

say "waiting until prod-e-db is available"
aws rds wait db-instance-available --db-instance-identifier prod-e-db
read -r host port < <(id 'DBInstances[0].[Endpoint.Address,Endpoint.Port]' rds describe-db-instances \
  --db-instance-identifier prod-e-db)

say "secret: where the database is"
aws secretsmanager put-secret-value --secret-id "$secret" --secret-string file://<(
  printf '{"username":"%s","password":"%s","engine":"postgres","host":"%s","port":%s,"dbname":"appdb","dbInstanceIdentifier":"prod-e-db"}' \
    "$user" "$password" "$host" "$port"
) >/dev/null

printf 'prod-e-db is available at %s:%s, for tasks in ecs-security-group\n' "$host" "$port"
