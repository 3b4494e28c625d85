// SPDX-License-Identifier: MIT
#include <redoubt/base/philox.hpp>
#include <redoubt/kernel/crc32c.hpp>

#include "support/catch.hpp"

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

using namespace redoubt;
using kernel::crc32c;
using kernel::crc32c_reference;

namespace {

std::vector<std::byte> random_bytes(std::size_t count) {
    random_stream random{31, {}};
    std::vector<std::byte> bytes(count);
    for (auto& b : bytes) b = static_cast<std::byte>(random.below(256));
    return bytes;
}

void flip_bit(std::vector<std::byte>& bytes, std::size_t bit) {
    bytes[bit / 8] ^= static_cast<std::byte>(1u << (bit % 8));
}

/// The definition: one bit at a time.
std::uint32_t defined(const std::byte* data, std::size_t size) {
    std::uint32_t crc = 0xffffffffu;
    for (std::size_t i = 0; i < size; ++i) {
        crc ^= static_cast<std::uint32_t>(data[i]);
        for (int bit = 0; bit < 8; ++bit) crc = (crc & 1u) != 0 ? (crc >> 1) ^ 0x82F63B78u : crc >> 1;
    }
    return ~crc;
}

}  // namespace

TEST_CASE("CRC-32C gives its published check values", "[kernel][crc32c]") {
    struct vector { std::vector<std::byte> bytes; std::uint32_t crc; };
    std::vector<vector> vectors;
    std::vector<std::byte> digits;
    for (char c : std::string_view{"123456789"}) digits.push_back(static_cast<std::byte>(c));
    vectors.push_back({digits, 0xE3069283u});
    // RFC 3720, B.4
    vectors.push_back({std::vector<std::byte>(32, std::byte{0}), 0x8A9136AAu});
    vectors.push_back({std::vector<std::byte>(32, std::byte{0xff}), 0x62A8AB43u});
    std::vector<std::byte> rising(32), falling(32);
    for (std::size_t i = 0; i < 32; ++i) {
        rising[i] = static_cast<std::byte>(i);
        falling[i] = static_cast<std::byte>(31 - i);
    }
    vectors.push_back({rising, 0x46DD794Eu});
    vectors.push_back({falling, 0x113FDB5Cu});
    for (const auto& [bytes, crc] : vectors) {
        CHECK(crc32c(bytes.data(), bytes.size()) == crc);
        CHECK(crc32c_reference(bytes.data(), bytes.size()) == crc);
    }
    CHECK(crc32c(nullptr, 0) == 0);
}

TEST_CASE("both forms equal the bitwise definition for every length and alignment", "[kernel][crc32c]") {
    const auto bytes = random_bytes(620);
    int wrong = 0;
    for (std::size_t size = 0; size <= 600; ++size) {
        for (std::size_t from : {std::size_t{0}, 1 + size % 7}) {
            const std::uint32_t expected = defined(bytes.data() + from, size);
            wrong += crc32c(bytes.data() + from, size) != expected;
            wrong += crc32c_reference(bytes.data() + from, size) != expected;
        }
    }
    CHECK(wrong == 0);
}

TEST_CASE("in a block of 256 bytes every single and double flip is detected", "[kernel][crc32c]") {
    auto bytes = random_bytes(256);
    const std::uint32_t good = crc32c(bytes.data(), bytes.size());
    constexpr std::size_t bits = 256 * 8;
    // flipping one bit changes the checksum by a word that depends on the bit alone, so a pair of flips is missed
    // exactly where two such words are equal, and every pair can be judged
    std::vector<std::uint32_t> change(bits);
    int missed = 0;
    for (std::size_t bit = 0; bit < bits; ++bit) {
        flip_bit(bytes, bit);
        change[bit] = crc32c(bytes.data(), bytes.size()) ^ good;
        missed += change[bit] == 0;
        flip_bit(bytes, bit);
    }
    CHECK(missed == 0);
    for (std::size_t a = 0; a < bits; ++a)
        for (std::size_t b = a + 1; b < bits; ++b) missed += change[a] == change[b];
    CHECK(missed == 0);

    // and a sample of pairs, really flipped
    random_stream random{32, {}};
    for (int draw = 0; draw < 20000; ++draw) {
        const std::size_t a = random.below(bits), b = (a + 1 + random.below(bits - 1)) % bits;
        flip_bit(bytes, a);
        flip_bit(bytes, b);
        const std::uint32_t bad = crc32c(bytes.data(), bytes.size());
        missed += bad == good || bad != (good ^ change[a] ^ change[b]);
        flip_bit(bytes, a);
        flip_bit(bytes, b);
    }
    CHECK(missed == 0);
    CHECK(crc32c(bytes.data(), bytes.size()) == good);
}

TEST_CASE("checksums of four neighbouring blocks", "[kernel]") {
    const auto bytes = random_bytes(4 * 256);
    for (std::size_t size : {std::size_t{0}, std::size_t{8}, std::size_t{16}, std::size_t{248}, std::size_t{256}}) {
        CAPTURE(size);
        const auto four = kernel::crc32c_of_four(bytes.data(), size);
        for (std::size_t block = 0; block < 4; ++block) CHECK(four[block] == defined(bytes.data() + block * size, size));
    }
}
