// SPDX-License-Identifier: MIT
// Codes over parameters: every single flipped bit put right, every two found, and what lies beyond counted.
#include "support/catch.hpp"
#include "support/nets.hpp"

#include <bit>
#include <set>

using namespace redoubt;
using namespace support;

namespace {

template <int Out>
using conv = conv2d<conv_spec{.out = Out, .pad = 1}>;

template <number N, template <class...> class Code>
using net_of = network<image<3, 6, 5>, N, Code<conv<18>, relu>, Code<conv<40>>, relu, max_pool<2>, Code<linear<20>>, relu, linear<4>>;

using row = std::array<std::byte, kernel::code_row>;
using block = std::vector<row>;

block drawn_block(std::size_t rows, std::uint64_t seed) {
    random_stream random{seed, {}};
    block b(rows);
    for (row& r : b)
        for (std::byte& byte : r) byte = static_cast<std::byte>(random.below(256));
    return b;
}
const std::byte* bytes_of(const block& b) { return b.empty() ? nullptr : b[0].data(); }

bool bit_of(const block& b, std::size_t r, std::size_t bit) { return ((std::to_integer<unsigned>(b[r][bit / 8]) >> bit % 8) & 1u) != 0; }

/// The check bits from their definition, one by one.
template <class Code>
block checks_by_definition(const block& data) {
    block checks(Code::checks);
    for (std::size_t bit = 0; bit < 512; ++bit)
        for (std::size_t c = 0; c < Code::checks; ++c) {
            bool sum = false;
            for (std::size_t r = 0; r < data.size(); ++r) sum ^= (static_cast<unsigned>(Code::columns[r] >> c) & 1u) != 0 && bit_of(data, r, bit);
            if (sum) kernel::flip_in_row(checks[c].data(), bit);
        }
    return checks;
}

struct told {
    std::size_t bit;
    kernel::diagnosis is;
};
template <class Code>
std::vector<told> examine(const block& data, const block& checks) {
    block syndromes(Code::checks);
    std::vector<told> all;
    if (kernel::check_block<Code>(bytes_of(data), data.size(), bytes_of(checks), syndromes[0].data())) return all;
    kernel::diagnose_block<Code>(bytes_of(syndromes), data.size(), [&](std::size_t bit, const kernel::diagnosis& d) { all.push_back({bit, d}); });
    return all;
}

template <class Code>
void check_encoding() {
    for (std::size_t rows : {0u, 1u, 2u, 31u, 63u, 64u}) {
        const block data = drawn_block(rows, rows);
        block checks(Code::checks);
        kernel::encode_block<Code>(bytes_of(data), rows, checks[0].data());
        CHECK(checks == checks_by_definition<Code>(data));
        CHECK(examine<Code>(data, checks).empty());
    }
}

template <number N, template <class...> class Code>
void check_network() {
    using net = net_of<N, Code>;
    const auto weights = drawn_and_converted<net>();
    const auto image = drawn_images<net>(1, 3)[0];
    using plain = without_protection<net>;
    const auto expected = words_of(answer_of<plain>(*drawn_and_converted<plain>(), image));
    CHECK(words_of(answer_of<net>(*weights, image)) == expected);
    CHECK(answer_of<net>(*weights, image).status.total() == fault_counters{});
    // one flipped bit in each of many codewords, in the words and in the code
    random_stream random{5, {}};
    for (int round = 0; round < 8; ++round) {
        auto struck = std::make_unique<parameters<net>>(*weights);
        std::uint32_t faults = 0;
        for (int s = 0; s < net::table.slot_count; ++s) {
            if (net::table.slots[static_cast<std::size_t>(s)].store < 0) continue;
            const std::size_t blocks = (struck->primary(s).size() + 4095) / 4096;
            for (std::size_t b = 0; b < blocks; ++b) {
                const std::size_t rows = std::min<std::size_t>(64, struck->primary(s).size() / 64 - b * 64);
                for (std::size_t bit = round == 0 ? 0 : random.below(64); bit < 512; bit += round == 0 ? 1 : 1 + random.below(64)) {
                    const std::size_t hit = random.below(rows + 8);
                    if (hit < rows) kernel::flip_in_row(struck->primary(s).data() + (b * 64 + hit) * 64, bit);
                    else kernel::flip_in_row(struck->extra(s).data() + (b * 8 + hit - rows) * 64, bit);
                    ++faults;
                }
            }
        }
        const auto got = answer_of<net>(*struck, image);
        CHECK(words_of(got) == expected);
        CHECK(got.status.trustworthy());
        CHECK(got.status.total().detected > 0);
        state<net> memory;
        CHECK(scrub<net>(*struck, memory) == fault_counters{faults, faults, 0, 0});
        CHECK(struck->bytes == weights->bytes);
        CHECK(scrub<net>(*struck, memory) == fault_counters{});
    }
}

}  // namespace

TEST_CASE("Hsiao's columns are odd, distinct and evenly spread", "[harden]") {
    std::set<unsigned> columns;
    std::array<int, 8> rows{};
    for (unsigned c : kernel::hsiao::columns) {
        columns.insert(c);
        CHECK(std::popcount(c) % 2 == 1);
        CHECK(std::popcount(c) > 1);
        for (std::size_t r = 0; r < 8; ++r) rows[r] += static_cast<int>((c >> r) & 1u);
    }
    CHECK(columns.size() == 64);
    CHECK(rows == std::array<int, 8>{26, 26, 26, 26, 26, 26, 26, 26});
}

TEST_CASE("check rows are those of the definition", "[harden]") {
    check_encoding<kernel::hsiao>();
    check_encoding<kernel::even_parity>();
}

TEST_CASE("every single flipped bit of a codeword is corrected, every two are found", "[harden]") {
    // codewords are alike, so one of them stands for all; every other one of the row is struck in the next test
    using code = kernel::hsiao;
    const block data = drawn_block(64, 1);
    block checks(8);
    kernel::encode_block<code>(bytes_of(data), 64, checks[0].data());
    for (std::size_t bit : {0u, 77u, 511u}) {
        int wrong = 0;
        const auto struck = [&](std::size_t i, block& d, block& c) { kernel::flip_in_row(i < 64 ? d[i].data() : c[i - 64].data(), bit); };
        for (std::size_t i = 0; i < 72; ++i) {
            block d = data, c = checks;
            struck(i, d, c);
            const auto one = examine<code>(d, c);
            const auto is = i < 64 ? kernel::verdict::data : kernel::verdict::check;
            wrong += one.size() == 1 && one[0].bit == bit && one[0].is.is == is && one[0].is.row == i % 64 ? 0 : 1;
            for (std::size_t j = i + 1; j < 72; ++j) {
                block dd = d, cc = c;
                struck(j, dd, cc);
                const auto two = examine<code>(dd, cc);
                wrong += two.size() == 1 && two[0].bit == bit && two[0].is.is == kernel::verdict::uncorrectable ? 0 : 1;
            }
        }
        CHECK(wrong == 0);
    }
}

TEST_CASE("neighbouring bits are bits of different codewords", "[harden]") {
    using code = kernel::hsiao;
    block data = drawn_block(40, 2), checks(8);
    kernel::encode_block<code>(bytes_of(data), 40, checks[0].data());
    const block good = data;
    for (std::size_t bit = 0; bit < 512; ++bit) kernel::flip_in_row(data[(7 + (bit + 300) / 512) % 40].data(), (bit + 300) % 512);
    const auto found = examine<code>(data, checks);
    REQUIRE(found.size() == 512);
    for (const told& t : found) {
        REQUIRE(t.is.is == kernel::verdict::data);
        kernel::flip_in_row(data[t.is.row].data(), t.bit);
    }
    CHECK(data == good);
}

TEST_CASE("a row that a short block has not cannot be the one that was struck", "[harden]") {
    using code = kernel::hsiao;
    block data = drawn_block(3, 3), checks(8);
    kernel::encode_block<code>(bytes_of(data), 3, checks[0].data());
    for (std::size_t c = 0; c < 8; ++c)
        if (((code::columns[50] >> c) & 1u) != 0) kernel::flip_in_row(checks[c].data(), 9);
    const auto found = examine<code>(data, checks);
    REQUIRE(found.size() == 1);
    CHECK(found[0].is.is == kernel::verdict::uncorrectable);
}

TEST_CASE("parity finds odd numbers of flipped bits", "[harden]") {
    using code = kernel::even_parity;
    block data = drawn_block(64, 4), checks(1);
    kernel::encode_block<code>(bytes_of(data), 64, checks[0].data());
    for (std::size_t n = 1; n < 20; ++n) {
        kernel::flip_in_row(data[3 * n].data(), 100);
        CHECK(examine<code>(data, checks).size() == n % 2);
    }
}

TEST_CASE("SECDED parameters mask a flipped bit in each codeword, fp32", "[harden]") { check_network<float32, secded>(); }
TEST_CASE("SECDED parameters mask a flipped bit in each codeword, fp16", "[harden]") { check_network<float16, secded>(); }
TEST_CASE("SECDED parameters mask a flipped bit in each codeword, bf16", "[harden]") { check_network<bfloat16, secded>(); }
TEST_CASE("SECDED parameters mask a flipped bit in each codeword, int8", "[harden]") { check_network<int8, secded>(); }

TEST_CASE("two flipped bits of a codeword are found and left, parity leaves one", "[harden]") {
    const auto check = [&]<class Net>(std::type_identity<Net>, int flips) {
        const auto weights = drawn_and_converted<Net>();
        const auto image = drawn_images<Net>(1, 3)[0];
        auto struck = std::make_unique<parameters<Net>>(*weights);
        for (int i = 0; i < flips; ++i) kernel::flip_in_row(struck->primary(0).data() + (10 + i) * 64, 30);
        const auto got = answer_of<Net>(*struck, image);
        CHECK_FALSE(got.status.trustworthy());
        CHECK(got.status.total().detected == got.status.total().uncorrected);
        const auto before = struck->bytes;
        state<Net> memory;
        CHECK(scrub<Net>(*struck, memory) == fault_counters{1, 0, 1, 0});
        CHECK(struck->bytes == before);
        // used as they lie
        auto bare = std::make_unique<parameters<without_protection<Net>>>(*drawn_and_converted<without_protection<Net>>());
        for (int i = 0; i < flips; ++i) kernel::flip_in_row(bare->primary(0).data() + (10 + i) * 64, 30);
        CHECK(words_of(got) == words_of(answer_of<without_protection<Net>>(*bare, image)));
    };
    check(std::type_identity<net_of<float32, secded>>{}, 2);
    check(std::type_identity<net_of<float32, parity>>{}, 1);
    check(std::type_identity<net_of<int8, parity>>{}, 3);
}

TEST_CASE("what codes cost in memory", "[harden]") {
    using store = secded<linear<4>>::store;
    STATIC_REQUIRE(store::code_bytes(4096) == 512);
    STATIC_REQUIRE(store::code_bytes(4097) == 1024);
    STATIC_REQUIRE(parity<linear<4>>::store::code_bytes(1 << 20) == (1 << 14));
    using net = model::resnet18<image<3, 32, 32>>;
    constexpr double factor = static_cast<double>(parameter_bytes<harden<net, protect<is_weighted, secded>>>) / static_cast<double>(parameter_bytes<net>);
    STATIC_REQUIRE(factor < 1.1252);
    // every bit of the code is a site of its own
    using coded = net_of<int8, secded>;
    std::uint64_t code_bits = 0;
    for (int s = 0; s < coded::table.slot_count; ++s)
        if (coded::table.slots[static_cast<std::size_t>(s)].store >= 0) code_bits += 8 * store::code_bytes(parameters<coded>::place(s).primary_bytes);
    CHECK(fault::weight_bits<coded>({}, fault::code_bytes) == code_bits);
}

TEST_CASE("single faults in SECDED parameters never reach an output", "[harden]") {
    // every bit of words and code of a small network
    using net = network<image<1, 2, 2>, float32, secded<linear<4>>>;
    const auto weights = drawn_and_converted<net>();
    const auto image = drawn_images<net>(1, 3)[0];
    const auto expected = words_of(answer_of<net>(*weights, image));
    auto struck = std::make_unique<parameters<net>>(*weights);
    int wrong = 0, silent = 0;
    for (std::span<std::byte> part : {struck->primary(0), struck->extra(0).first(512)}) {
        for (std::byte& b : part) {
            for (unsigned bit = 0; bit < 8; ++bit) {
                b ^= static_cast<std::byte>(1u << bit);
                const auto got = answer_of<net>(*struck, image);
                wrong += words_of(got) == expected && got.status.trustworthy() ? 0 : 1;
                silent += got.status.total().corrected > 0 ? 0 : 1;
                b ^= static_cast<std::byte>(1u << bit);
            }
        }
    }
    CHECK(wrong == 0);
    CHECK(silent == 0);
}
