// SPDX-License-Identifier: MIT
// Where a store finds nothing wrong, kernels read the parameters where they lie; only what is wrong goes through scratch.
#include "support/catch.hpp"
#include "support/nets.hpp"

using namespace redoubt;
using namespace support;

namespace {

/// What a store was asked in one inference.
struct request {
    bool sound;  ///< the answer, of questions; fetches are told apart by `fetched`
    bool fetched;
    std::size_t first, size;
};
struct ledger {
    static inline std::vector<request> asked;
    static inline std::size_t broken_from = 0, broken_to = 0;  ///< bytes that are said to be broken
};

/// Says that some bytes are broken, and fetches zeros in their place.
template <class... Layers>
struct suspicious : protection<Layers...> {
    struct store {
        static constexpr int copies = 0;
        static constexpr std::size_t code_bytes(std::size_t) { return 0; }
        static constexpr std::size_t extra_bytes(std::size_t) { return 0; }
        static void encode(std::span<const std::byte>, std::span<std::byte>) {}
        static bool sound(std::span<const std::byte>, std::span<const std::byte>, std::size_t first, std::size_t size) {
            const bool good = first + size <= ledger::broken_from || first >= ledger::broken_to;
            ledger::asked.push_back({good, false, first, size});
            return good;
        }
        static void fetch(std::span<const std::byte> primary, std::span<const std::byte>, std::size_t first, std::size_t size,
                          std::byte* to, fault_counters&) {
            ledger::asked.push_back({false, true, first, size});
            for (std::size_t i = 0; i < size; ++i)
                to[i] = first + i >= ledger::broken_from && first + i < ledger::broken_to ? std::byte{0} : primary[first + i];
        }
        static void scrub(std::span<std::byte>, std::span<std::byte>, fault_counters&) {}
    };
};

/// 18 blocks of 16 channels, 72 KiB each in fp32: several calls of the kernel, the last of them short.
template <number N, template <class...> class Protection>
using wide_net = network<image<128, 3, 3>, N, Protection<conv2d<conv_spec{.out = 280, .pad = 1}>>, relu, Protection<linear<9>>>;

template <number N>
void check_places() {
    using net = wide_net<N, suspicious>;
    using plain = without_protection<net>;
    const auto weights = drawn_and_converted<net>();
    const auto reference = drawn_and_converted<plain>();
    const auto image = drawn_images<net>(1, 3)[0];
    const std::size_t primary = weights->primary(0).size();
    const std::size_t origin = weights->biases(0).size_bytes();
    for (const auto& [from, to] : {std::pair<std::size_t, std::size_t>{0, 0}, {0, origin}, {origin, primary}, {0, primary},
                                   {origin + 640, origin + 704}, {primary - 64, primary}, {primary / 2, primary / 2 + 64}}) {
        CAPTURE(from, to, primary);
        ledger::asked.clear();
        ledger::broken_from = from;
        ledger::broken_to = std::min(to, primary);
        // the second layer's bytes are all sound, or zero like the first's
        auto damaged = std::make_unique<parameters<plain>>(*reference);
        for (int slot = 0; slot < 2; ++slot) {
            const auto bytes = damaged->primary(slot);
            for (std::size_t i = from; i < std::min(ledger::broken_to, bytes.size()); ++i) bytes[i] = std::byte{0};
        }
        const auto got = answer_of<net>(*weights, image);
        CHECK(words_of(got) == words_of(answer_of<plain>(*damaged, image)));
        std::size_t fetched = 0;
        for (const request& r : ledger::asked) fetched += r.fetched ? r.size : 0;
        if (from == to) CHECK(fetched == 0);
        else CHECK(fetched > 0);
    }
}

/// 18 blocks of 9 taps: words smaller than a float make groups of blocks begin and end within 64 bytes.
template <number N, template <class...> class Protection>
using narrow_net = network<image<1, 3, 3>, N, Protection<conv2d<conv_spec{.out = 280, .pad = 1}>>, relu, Protection<linear<9>>>;

/// One flipped bit at a time, all over parameters that take several calls of the kernel: answers stay, each is seen and put right.
template <class net>
void check_everywhere(int trials = 60) {
    const auto weights = drawn_and_converted<net>();
    const auto image = drawn_images<net>(1, 3)[0];
    const auto clean = answer_of<net>(*weights, image);
    REQUIRE(clean.status.total() == fault_counters{});
    random_stream random{11, {}};
    auto struck = std::make_unique<parameters<net>>(*weights);
    for (int trial = 0; trial < trials; ++trial) {
        // the last bytes may be there for alignment alone
        const auto bytes = struck->primary(0).first(struck->biases(0).size_bytes() + struck->weights(0).size_bytes());
        const std::size_t place = random.below(static_cast<std::uint32_t>(bytes.size()));
        CAPTURE(place);
        const auto mask = static_cast<std::byte>(1u << random.below(8));
        bytes[place] ^= mask;
        const auto got = answer_of<net>(*struck, image);
        CHECK(words_of(got) == words_of(clean));
        CHECK(got.status.total().detected == 1);
        CHECK(got.status.total().corrected == 1);
        bytes[place] ^= mask;
    }
}

}  // namespace

TEST_CASE("every byte is vouched for or fetched before a kernel reads it", "[harden]") {
    check_places<float32>();
    check_places<int8>();
    check_places<float16>();
}

TEST_CASE("requests cover a layer once and in order", "[harden]") {
    using net = wide_net<float32, suspicious>;
    const auto weights = drawn_and_converted<net>();
    ledger::asked.clear();
    ledger::broken_from = ledger::broken_to = 0;
    answer_of<net>(*weights, drawn_images<net>(1, 3)[0]);
    std::size_t read = 0, first_layer = 0;
    for (const request& r : ledger::asked) {
        if (first_layer == 0 && read == weights->primary(0).size()) {
            first_layer = read;
            read = 0;
        }
        REQUIRE(r.first == read);
        read += r.size;
    }
    CHECK(first_layer == weights->primary(0).size());
    CHECK(read == weights->primary(1).size());
}

TEST_CASE("a flipped bit is put right wherever it lies, checksums", "[harden]") { check_everywhere<wide_net<float32, crc>>(); }
TEST_CASE("a flipped bit is put right wherever it lies, SECDED", "[harden]") { check_everywhere<wide_net<float32, secded>>(); }
TEST_CASE("a flipped bit is put right wherever it lies, three copies", "[harden]") { check_everywhere<wide_net<int8, tmr_parameters>>(); }
TEST_CASE("a flipped bit is put right wherever it lies, small words", "[harden]") {
    check_everywhere<narrow_net<stored<float32, fixed<2, 5>>, secded>>(300);
    check_everywhere<narrow_net<stored<float32, fixed<2, 5>>, crc>>(300);
    check_everywhere<narrow_net<stored<float32, fixed<2, 5>>, tmr_parameters>>(300);
    check_everywhere<narrow_net<float16, secded>>(300);
    check_everywhere<narrow_net<int8, secded>>(300);
    check_everywhere<network<image<1, 1, 1100>, float16, secded<linear<70>>, relu, linear<4>>>(60);
}
