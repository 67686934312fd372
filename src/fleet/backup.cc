#include "fleet/backup.h"

#include "base/document.h"

namespace howdah::fleet {

namespace {

const DocumentCodec<InstanceFacts>& FactsCodec() {
  static const auto codec = DocumentCodec<InstanceFacts>("facts of an instance")
                                .With("identifier", &InstanceFacts::identifier)
                                .With("version", &InstanceFacts::version)
                                .With("database", &InstanceFacts::database)
                                .With("master_user", &InstanceFacts::master_user)
                                .With("subnet_group", &InstanceFacts::subnet_group)
                                .With("vpc", &InstanceFacts::vpc)
                                .With("zone", &InstanceFacts::zone)
                                .With("instance_class", &InstanceFacts::instance_class)
                                .With("storage_type", &InstanceFacts::storage_type)
                                .With("storage_gib", &InstanceFacts::storage_gib)
                                .With("port", &InstanceFacts::port)
                                .With("retention_days", &InstanceFacts::retention_days)
                                .With("backup_window", &InstanceFacts::backup_window)
                                .With("maintenance_window", &InstanceFacts::maintenance_window)
                                .With("created", &InstanceFacts::created)
                                .With("tags", &InstanceFacts::tags);
  return codec;
}

const DocumentCodec<DbSnapshot>& SnapshotCodec() {
  static const auto codec = DocumentCodec<DbSnapshot>("DB snapshot")
                                .With("identifier", &DbSnapshot::identifier)
                                .With("automated", &DbSnapshot::automated)
                                .With("instance", &DbSnapshot::instance)
                                .With("backup", &DbSnapshot::backup)
                                .With("facts", &DbSnapshot::facts, FactsCodec())
                                .With("created", &DbSnapshot::created)
                                .With("original", &DbSnapshot::original)
                                .With("finished", &DbSnapshot::finished)
                                .With("start_lsn", &DbSnapshot::start_lsn)
                                .With("failure", &DbSnapshot::failure)
                                .With("size_bytes", &DbSnapshot::size_bytes)
                                .With("stored_bytes", &DbSnapshot::stored_bytes)
                                .With("tags", &DbSnapshot::tags);
  return codec;
}

const DocumentCodec<Description>& DescriptionCodec() {
  static const auto codec = DocumentCodec<Description>("description of an instance")
                                .With("facts", &Description::facts, FactsCodec())
                                .With("snapshots", &Description::snapshots, SnapshotCodec());
  return codec;
}

const DocumentCodec<BackupRecord>& RecordCodec() {
  static const auto codec = DocumentCodec<BackupRecord>("backup")
                                .With("id", &BackupRecord::id)
                                .With("instance", &BackupRecord::instance)
                                .With("users", &BackupRecord::users);
  return codec;
}

const DocumentCodec<AutomatedBackup>& AutomatedCodec() {
  static const auto codec = DocumentCodec<AutomatedBackup>("automated backup")
                                .With("instance", &AutomatedBackup::instance)
                                .With("arn_id", &AutomatedBackup::arn_id)
                                .With("retained", &AutomatedBackup::retained)
                                .With("doomed", &AutomatedBackup::doomed)
                                .With("imported", &AutomatedBackup::imported)
                                .With("facts", &AutomatedBackup::facts, FactsCodec())
                                .With("latest", &AutomatedBackup::latest)
                                .With("archived_lsn", &AutomatedBackup::archived_lsn)
                                .With("failed", &AutomatedBackup::failed)
                                .With("kept_since", &AutomatedBackup::kept_since);
  return codec;
}

}  // namespace

InstanceFacts FactsOf(const Instance& instance) {
  const Settings& settings = instance.settings;
  return {.identifier = instance.identifier,
          .version = instance.version,
          .database = instance.database,
          .master_user = instance.master_user,
          .subnet_group = instance.subnet_group,
          .vpc = instance.vpc,
          .zone = instance.zone,
          .instance_class = settings.instance_class,
          .storage_type = settings.storage_type,
          .storage_gib = settings.storage_gib,
          .port = settings.port,
          .retention_days = settings.backup_retention_days,
          .backup_window = settings.backup_window,
          .maintenance_window = settings.maintenance_window,
          .created = instance.created,
          .tags = instance.tags};
}

std::string SnapshotUser(std::string_view identifier) {
  return "snapshot:" + std::string(identifier);
}
std::string RestoreUser(const InstanceId& restored) {
  return "restore:" + restored.str();
}

std::string Format(const Description& description) {
  return DescriptionCodec().Format(description);
}
Result<Description> ParseDescription(std::string_view text) {
  return DescriptionCodec().Parse(text);
}
std::string Format(const DbSnapshot& snapshot) {
  return SnapshotCodec().Format(snapshot);
}
Result<DbSnapshot> ParseDbSnapshot(std::string_view text) {
  return SnapshotCodec().Parse(text);
}
std::string Format(const BackupRecord& record) {
  return RecordCodec().Format(record);
}
Result<BackupRecord> ParseBackupRecord(std::string_view text) {
  return RecordCodec().Parse(text);
}
std::string Format(const AutomatedBackup& backup) {
  return AutomatedCodec().Format(backup);
}
Result<AutomatedBackup> ParseAutomatedBackup(std::string_view text) {
  return AutomatedCodec().Parse(text);
}

}  // namespace howdah::fleet
