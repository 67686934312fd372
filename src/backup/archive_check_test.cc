// Protects: every damage of the WAL archive is found and named.
#include "backup/archive_check.h"

#include <gmock/gmock.h>

#include "archive/range.h"
#include "backup/test_repository.h"

namespace howdah::backup {
namespace {

using archive::Range;
using postgres::Lsn;
using postgres::Timeline;
using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;

struct ArchiveCheck : testing::Test {
  ArchiveCheck() {
    backup.stop_lsn = 110;
    backup.timeline = 1;
    for (std::uint64_t at = 100; at < 400; at += 100) Put(at, at + 100);
  }

  std::string Put(std::uint64_t start, std::uint64_t end, std::size_t less = 0) {
    const std::string name = archive::ObjectName(
        instance, {.epoch = 1, .timeline = Timeline{1}, .start = Lsn(start), .end = Lsn(end)});
    const auto key = repository.keys.Make().value();
    const std::string bytes(end - start - less, 'w');
    repository.objects.Overwrite(name,
                                 repository::SealObject(name, bytes, key, repository.entropy));
    return name;
  }

  std::vector<std::string> Damages() {
    Job job;
    return CheckArchive(instance, {backup}, repository.needs, job).value();
  }

  const InstanceId instance{"db-TEST"};
  Manifest backup;
  TestRepository repository;
};

TEST_F(ArchiveCheck, WholeItHasNone) {
  EXPECT_THAT(Damages(), IsEmpty());
}

TEST_F(ArchiveCheck, EveryFlipAndCutIsNamed) {
  for (const std::string& name : repository.Names()) {
    const std::string whole = *repository.objects.Get(name);
    for (const std::size_t at : {std::size_t{0}, std::size_t{20}, whole.size() - 1}) {
      repository.Flip(name, at);
      EXPECT_THAT(Damages(), Contains(HasSubstr(name))) << at;
      repository.Flip(name, at);
    }
    repository.objects.Overwrite(name, whole.substr(0, whole.size() - 1));
    EXPECT_THAT(Damages(), Contains(HasSubstr(name)));
    repository.objects.Overwrite(name, whole);
  }
  EXPECT_THAT(Damages(), IsEmpty());
}

TEST_F(ArchiveCheck, LessWalThanTheNameSaysIsNamed) {
  EXPECT_THAT(Damages(), IsEmpty());
  const std::string name = Put(400, 500, 1);
  EXPECT_THAT(Damages(), Contains(HasSubstr(name)));
}

TEST_F(ArchiveCheck, WhatIsMissingIsSaid) {
  const std::vector<std::string> names = repository.Names();
  ASSERT_EQ(names.size(), 3U);
  const std::string whole = *repository.objects.Get(names[1]);
  ASSERT_TRUE(repository.objects.Delete(names[1]));
  EXPECT_THAT(Damages(), Contains(HasSubstr("from 0/C8 to 0/12C is missing")));
  repository.objects.Overwrite(names[1], whole);
  ASSERT_TRUE(repository.objects.Delete(names[0]));
  EXPECT_THAT(Damages(), Contains(HasSubstr("from 0/6E to 0/C8 is missing")));
}

}  // namespace
}  // namespace howdah::backup
