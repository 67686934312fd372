#include "backup/holdings.h"

namespace howdah::backup {

Result<Holdings> ReadHoldings(const Needs& needs, const InstanceId& instance,
                              const std::string& backup) {
  if (!backup.empty()) TRY(ReadManifest(needs, instance, backup));
  TRY_ASSIGN(Catalogue catalogue, ListBackups(needs, instance));
  for (const std::string& why : catalogue.unreadable) needs.log.Warning("{}", why);
  archive::Reader reader(needs.repository, needs.keys);
  TRY_ASSIGN(archive::Reader::Contents contents, reader.ReadContents(instance));
  return Holdings{.backups = std::move(catalogue.backups), .contents = std::move(contents)};
}

}  // namespace howdah::backup
