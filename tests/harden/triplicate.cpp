// SPDX-License-Identifier: MIT
// Networks with tripled channels: the unprotected bits where nothing is wrong, any fault of one copy voted away.
#include "support/conv_case.hpp"
#include "support/copied_channels.hpp"

#include <limits>

using namespace redoubt;
using namespace support;

namespace {

template <class L> using thrice = triplicate<wanted<L>::value, L>;
template <class L> using coded = secded<thrice<L>>;
template <class L> using clipped = clip_weights<thrice<L>>;

template <class Net>
void check_weights(int bits) {
    const auto images = drawn_images<Net>(2, 3);
    const auto weights = with_intervals<Net>(images);
    const auto clean = words_of(answer_of<Net>(*weights, images[0]));
    random_stream random{5, {}};
    int found = 0;
    for (int trial = 0; trial < 40; ++trial) {
        CAPTURE(trial);
        const int slot = trial % 4;
        const auto& info = Net::table.slots[static_cast<std::size_t>(slot)];
        const auto& g = info.geometry;
        const int once = info.folded / 2, channel = below(random, 3 * once);
        auto struck = std::make_unique<parameters<Net>>(*weights);
        auto& w = struck->weight_at(slot, channel, below(random, g.kernel.h), below(random, g.kernel.w), below(random, g.in.channels));
        using word = std::remove_reference_t<decltype(w)>;
        w = flip(w, bit_mask<word>(below(random, bits)));
        const auto got = answer_of<Net>(*struck, images[0]);
        CHECK(words_of(got) == clean);
        const auto count = got.status.total();
        CHECK(count.corrected == count.detected);
        CHECK(count.out_of_range == 0);
        found += count.detected != 0 ? 1 : 0;
    }
    CHECK(found > 20);
}

}  // namespace

TEST_CASE("tripled channels change nothing where nothing is wrong", "[harden]") {
    check_clean<net_of<float32, thrice>>();
    check_clean<net_of<int8, thrice>>();
    check_clean<net_of<stored<float32, fixed<2, 5>>, thrice>>();
    check_clean<net_of<float32, coded>>();
    check_clean<net_of<float32, clipped>>();
}

TEST_CASE("any flipped bit of a weight in one of three copies reaches no output", "[harden][fault]") {
    check_weights<net_of<float32, thrice>>(32);
    check_weights<net_of<int8, thrice>>(8);
}
