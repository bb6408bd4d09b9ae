#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <optional>
#include <string>
#include <vector>

#include "gossip/base/bytes.hpp"

// Messages as bytes on file. WIGWAG_WRITE_GOLDEN=1 writes what the code makes now in place of
// comparing it; golden/README.md says when that is right.
namespace wigwag::golden {

struct Vector {
  std::string name;
  Bytes bytes;
  std::function<bool(ByteView)> accepts;  // whether a reader takes it
};

inline std::filesystem::path folder() { return std::filesystem::path(__FILE__).parent_path() / "golden"; }
inline std::filesystem::path file_of(const std::string& name) { return folder() / (name + ".hex"); }
inline bool writing() { return std::getenv("WIGWAG_WRITE_GOLDEN") != nullptr; }

inline void write(const Vector& vector) {
  constexpr std::size_t digits_per_line = 64;
  std::ofstream out(file_of(vector.name));
  const std::string digits = to_hex(vector.bytes);
  for (std::size_t i = 0; i < digits.size(); i += digits_per_line) out << digits.substr(i, digits_per_line) << "\n";
  ASSERT_TRUE(out.flush()) << file_of(vector.name);
}

inline std::optional<Bytes> read(const std::string& name) {
  std::ifstream in(file_of(name));
  if (!in) return std::nullopt;
  std::string digits(std::istreambuf_iterator<char>(in), {});
  digits.erase(std::remove(digits.begin(), digits.end(), '\n'), digits.end());
  return from_hex(digits);
}

// Compares with the file, or writes it; then reads the file as a stranger's message.
inline void expect(const Vector& vector, bool accepted) {
  SCOPED_TRACE(vector.name);
  if (writing()) write(vector);
  const auto on_file = read(vector.name);
  ASSERT_TRUE(on_file) << "no such file, or not hexadecimal: " << file_of(vector.name);
  EXPECT_EQ(to_hex(*on_file), to_hex(vector.bytes));
  EXPECT_EQ(vector.accepts(*on_file), accepted);
}

}  // namespace wigwag::golden
