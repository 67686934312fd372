// Protects: a promise is read back as it was made, and what is no promise is no epoch 0.
#include "host/promise.h"

#include <gtest/gtest.h>

#include "system/fake/memory_disk.h"

namespace howdah::host {
namespace {

TEST(Promise, IsKeptOnDisk) {
  system::MemoryDisk disk;
  EXPECT_EQ(ReadPromise(disk, "/n-1").value_or(-1), 0);
  ASSERT_TRUE(WritePromise(disk, "/n-1", 7));
  EXPECT_EQ(ReadPromise(disk, "/n-1").value_or(-1), 7);
  ASSERT_TRUE(WritePromise(disk, "/n-1", 8));
  EXPECT_EQ(ReadPromise(disk, "/n-1").value_or(-1), 8);
}

TEST(Promise, WhatIsNoPromiseIsAnError) {
  system::MemoryDisk disk;
  ASSERT_TRUE(disk.MakeDirectories("/n-1"));
  for (const char* text : {"", "7", "x\n", "0\n", "-1\n", "7\n8\n", "99999999999999999999\n"}) {
    ASSERT_TRUE(disk.WriteDurably("/n-1/promise", text));
    const auto read = ReadPromise(disk, "/n-1");
    ASSERT_FALSE(read) << text;
    EXPECT_EQ(read.error().code(), Code::kCorrupt);
  }
}

}  // namespace
}  // namespace howdah::host
