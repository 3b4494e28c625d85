// SPDX-License-Identifier: MIT
#include <redoubt/io/rom.hpp>

#include "support/catch.hpp"
#include "support/complaint.hpp"
#include "support/nets.hpp"

#include <algorithm>
#include <string>

using namespace redoubt;
using namespace support;

namespace {

template <number N, template <class...> class Store, int Out = 6>
using net_of = network<image<1, 6, 5>, N, Store<conv2d<conv_spec{.out = Out}>>, relu, linear<4>>;
using net = net_of<float32, secded>;

/// Bytes at an address of the alignment that images need, and one byte past it.
struct flash {
    explicit flash(std::span<const std::byte> image) : size{image.size()} { std::copy(image.begin(), image.end(), bytes.begin()); }
    std::span<const std::byte> image() const { return std::span{bytes}.first(size); }
    alignas(block_alignment) std::array<std::byte, 16384> bytes{};
    std::size_t size;
};

template <class Net>
std::string why_not(std::span<const std::byte> image, rom_check look = rom_check::everything) {
    const auto got = in_place<Net>(image, look);
    return got ? std::string{} : std::string{got.reason().text()};
}

template <class Net>
void check_round_trip() {
    const auto weights = drawn_and_converted<Net>();
    const flash there{io::rom_image<Net>(*weights)};
    REQUIRE(there.size == rom_bytes<Net>);
    const auto got = in_place<Net>(there.image());
    REQUIRE(got);
    CHECK(reinterpret_cast<const std::byte*>(*got) == there.bytes.data() + sizeof(rom_header));  // nothing was copied
    CHECK((*got)->bytes == weights->bytes);
    const auto image = drawn_images<Net>(1, 3)[0];
    CHECK(words_of(answer_of<Net>(**got, image)) == words_of(answer_of<Net>(*weights, image)));
    CHECK(io::rom_image<Net>(*weights) == io::rom_image<Net>(*weights));
}

}  // namespace

TEST_CASE("an image holds the parameters and is read where it lies", "[io]") {
    check_round_trip<net>();
    check_round_trip<net_of<int8, crc>>();
    check_round_trip<net_of<float16, tmr_parameters>>();
}

TEST_CASE("every flipped byte of an image is seen", "[io]") {
    const auto weights = drawn_and_converted<net>();
    flash there{io::rom_image<net>(*weights)};
    for (std::size_t i = 0; i < there.size; ++i) {
        there.bytes[i] ^= std::byte{0x10};
        const bool unused = i >= offsetof(rom_header, unused) && i < sizeof(rom_header);
        if (why_not<net>(there.image()).empty() != unused) FAIL("byte " << i);
        const bool checked = i < offsetof(rom_header, sum);
        if (why_not<net>(there.image(), rom_check::header).empty() == checked) FAIL("byte " << i << " of the header");
        there.bytes[i] ^= std::byte{0x10};
    }
}

TEST_CASE("an image that is none, or another network's, says so", "[io]") {
    const auto weights = drawn_and_converted<net>();
    const flash there{io::rom_image<net>(*weights)};
    for (std::size_t size = 0; size < there.size; size += size < 80 ? 1 : 61)
        CHECK_THAT(why_not<net>(there.image().first(size)), Catch::Contains(size < sizeof(rom_header) ? "less than its header" : "cut short"));
    CHECK_THAT(why_not<net>(there.image().subspan(8)), Catch::Contains("not aligned"));
    CHECK_THAT((why_not<net_of<float32, secded, 7>>(there.image())), Catch::Contains("another network"));
    CHECK_THAT((why_not<net_of<float32, parity>>(there.image())), Catch::Contains("another network"));
    CHECK_THAT((why_not<net_of<float16, secded>>(there.image())), Catch::Contains("another network"));
    CHECK_THAT(why_not<without_protection<net>>(there.image()), Catch::Contains("another network"));
    // other layers with the same number of bytes
    using a = network<image<4, 2, 2>, float32, conv2d<conv_spec{.out = 4, .kernel = 2}>>;
    using b = network<image<4, 2, 2>, float32, linear<4>>;
    using c = network<image<4, 2, 2>, float32, clip_weights<linear<4>>>;
    static_assert(rom_bytes<a> == rom_bytes<b> && rom_bytes<b> == rom_bytes<c> && rom_layout<b> != rom_layout<c>);
    // the same bytes and places, kept or meant in another way
    using coded = network<image<3, 4, 4>, float32, secded<conv2d<conv_spec{.out = 4, .kernel = 1}>>>;
    using tripled = network<image<3, 4, 4>, float32, tmr_parameters<conv2d<conv_spec{.out = 4, .kernel = 1}>>>;
    static_assert(rom_bytes<coded> == rom_bytes<tripled> && rom_layout<coded> != rom_layout<tripled>);
    using bare = network<image<3, 4, 4>, float32, conv2d<conv_spec{.out = 4}>, relu>;
    using guarded = network<image<3, 4, 4>, float32, redoubt::range<conv2d<conv_spec{.out = 4}>, relu>>;
    using bent = network<image<3, 4, 4>, float32, conv2d<conv_spec{.out = 4}>, hard_swish>;
    static_assert(rom_bytes<bare> == rom_bytes<guarded> && rom_layout<bare> != rom_layout<guarded>);
    static_assert(rom_bytes<bare> == rom_bytes<bent> && rom_layout<bare> != rom_layout<bent>);
    static_assert(rom_layout<with_number<bare, float16>> != rom_layout<with_number<bare, bfloat16>>);
}

TEST_CASE("an image as source", "[io]") {
    const std::array<std::byte, 26> bytes{std::byte{0x00}, std::byte{0xff}, std::byte{0x5a}};
    const auto text = io::rom_source(bytes, {.name = "weights_1", .section = ".flash"});
    REQUIRE(text);
    CHECK_THAT(*text, Catch::Contains("extern \"C\" const unsigned char weights_1[26];\n"));
    CHECK_THAT(*text, Catch::Contains("[[gnu::section(\".flash\")]] alignas(64) const unsigned char weights_1[26] = {\n0x00,0xff,0x5a,0x00,"));
    CHECK(std::count(text->begin(), text->end(), ',') == 26 + 1);
    const auto plain = io::rom_source(bytes, {.name = "w"});
    REQUIRE(plain);
    CHECK(plain->find("section") == std::string::npos);
    for (const char* name : {"", "1st", "a b", "x;", "\xc3\xa4"}) CHECK_FALSE(io::rom_source(bytes, {.name = name}));
    CHECK_FALSE(io::rom_source(bytes, {.name = "w", .section = "\")]] int x;"}));
}
