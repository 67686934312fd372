// Listings and faults as servers write them; anything else is an error, never a shorter listing.
#include "repository/s3_answers.h"

#include <gtest/gtest.h>

namespace howdah::repository {
namespace {

TEST(Listing, IsReadAsServersWriteIt) {
  const auto page = ParseListing(
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<!-- x -->"
      "<ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Name>b</Name>"
      "<Prefix/><KeyCount>2</KeyCount><IsTruncated>true</IsTruncated>\n"
      "<NextContinuationToken>1/a&amp;b=</NextContinuationToken>"
      "<Contents>\n  <Key>i/&#97;&#x62;</Key><LastModified>2026-11-23T09:46:00.000Z</LastModified>"
      "<ETag>&quot;0&quot;</ETag><Size>12</Size><Owner><ID>1</ID></Owner></Contents>"
      "<Contents><Size>0</Size><Key>i/c</Key></Contents>"
      "<CommonPrefixes><Prefix>i/d/</Prefix></CommonPrefixes></ListBucketResult>\n");
  ASSERT_TRUE(page) << page.error().what();
  ASSERT_EQ(page->objects.size(), 2U);
  EXPECT_EQ(page->objects[0].name, "i/ab");
  EXPECT_EQ(page->objects[0].size_bytes, 12U);
  EXPECT_EQ(page->objects[1].name, "i/c");
  EXPECT_EQ(page->common_prefixes, std::vector<std::string>{"i/d/"});
  EXPECT_EQ(page->next, "1/a&b=");
}

TEST(Listing, OfNothingIsEmpty) {
  for (const char* document : {"<ListBucketResult/>", "<s3:ListBucketResult></s3:ListBucketResult>",
                               "<ListBucketResult><IsTruncated>false</IsTruncated>"
                               "<NextContinuationToken>x</NextContinuationToken>"
                               "</ListBucketResult>"}) {
    const auto page = ParseListing(document);
    ASSERT_TRUE(page) << document;
    EXPECT_TRUE(page->objects.empty() && page->next.empty());
  }
}

TEST(Listing, ThatIsNoneIsAnError) {
  const std::string deep = [] {
    std::string open, close;
    for (int i = 0; i < 20; ++i) open += "<a>", close += "</a>";
    return open + close;
  }();
  for (const std::string& document :
       {std::string(), std::string("<"), std::string("text"), std::string("<ListBucketResult>"),
        std::string("<a></a>"), std::string("<Error><Code>x</Code></Error>"),
        std::string("<ListBucketResult></Other>"), std::string("</ListBucketResult>"),
        std::string("<ListBucketResult/><ListBucketResult/>"),
        std::string("<!DOCTYPE x><ListBucketResult/>"),
        std::string("<ListBucketResult>&x;</ListBucketResult>"),
        std::string("<ListBucketResult>&#0;</ListBucketResult>"),
        std::string("<ListBucketResult><Contents><Key>a</Key></Contents></ListBucketResult>"),
        std::string("<ListBucketResult><Contents><Size>1</Size></Contents></ListBucketResult>"),
        std::string("<ListBucketResult><Contents><Key>a</Key><Size>-1</Size></Contents>"
                    "</ListBucketResult>"),
        std::string("<ListBucketResult><IsTruncated>true</IsTruncated></ListBucketResult>"),
        deep}) {
    const auto page = ParseListing(document);
    ASSERT_FALSE(page) << document;
    EXPECT_EQ(page.error().code(), Code::kCorrupt);
  }
}

TEST(Fault, SaysItsCode) {
  const S3Fault fault =
      ParseFault("<Error><Code>NoSuchKey</Code><Message>The &lt;key&gt;.</Message></Error>");
  EXPECT_EQ(fault.code, "NoSuchKey");
  EXPECT_EQ(fault.message, "The <key>.");
  EXPECT_EQ(ParseFault("<html>502").code, "");
  EXPECT_EQ(ParseFault("").code, "");
}

}  // namespace
}  // namespace howdah::repository
