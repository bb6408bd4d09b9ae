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

// The folder `golden` beside a source file.
inline std::filesystem::path folder(const char* beside = __FILE__) { return std::filesystem::path(beside).parent_path() / "golden"; }
inline std::filesystem::path file_of(const std::string& name, const std::filesystem::path& in) { return in / (name + ".hex"); }
inline bool writing() { return std::getenv("WIGWAG_WRITE_GOLDEN") != nullptr; }

inline void write(const Vector& vector, const std::filesystem::path& in) {
  constexpr std::size_t digits_per_line = 64;
  std::ofstream out(file_of(vector.name, in));
  const std::string digits = to_hex(vector.bytes);
  for (std::size_t i = 0; i < digits.size(); i += digits_per_line) out << digits.substr(i, digits_per_line) << "\n";
  ASSERT_TRUE(out.flush()) << file_of(vector.name, in);
}

inline std::optional<Bytes> read(const std::string& name, const std::filesystem::path& in) {
  std::ifstream file(file_of(name, in));
  if (!file) return std::nullopt;
  std::string digits(std::istreambuf_iterator<char>(file), {});
  digits.erase(std::remove(digits.begin(), digits.end(), '\n'), digits.end());
  return from_hex(digits);
}

// Compares with the file, or writes it; then reads the file as a stranger's message.
inline void expect(const Vector& vector, bool accepted, const std::filesystem::path& in = folder()) {
  SCOPED_TRACE(vector.name);
  if (writing()) write(vector, in);
  const auto on_file = read(vector.name, in);
  ASSERT_TRUE(on_file) << "no such file, or not hexadecimal: " << file_of(vector.name, in);
  EXPECT_EQ(to_hex(*on_file), to_hex(vector.bytes));
  EXPECT_EQ(vector.accepts(*on_file), accepted);
}

}  // namespace wigwag::golden
