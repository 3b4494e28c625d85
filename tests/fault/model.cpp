// SPDX-License-Identifier: MIT
#include <redoubt/redoubt.hpp>

#include "support/catch.hpp"
#include "support/nets.hpp"

#include <bit>
#include <cmath>
#include <map>
#include <set>

using namespace redoubt;
using namespace redoubt::fault;
using namespace support;

namespace {

template <number N>
using net_of = network<image<3, 6, 5>, N, conv2d<conv_spec{.out = 5, .pad = 1}>, relu,
                       conv2d<conv_spec{.out = 20, .stride = 2, .pad = 1, .dilation = 1}>, relu, max_pool<2>, linear<3>>;

fault_model model_of(effect does, pattern lies = pattern::single, int bits = 1) { return {does, lies, bits}; }

/// All parameter faults of a draw.
template <class Net>
std::vector<weight_fault> drawn(const fault_spec& spec, const value_limits<Net>* limits = nullptr, std::uint64_t trial = 0) {
    std::vector<std::uint64_t> chosen(spec.count);
    std::vector<weight_fault> faults;
    draw_weights<Net>(9, trial, spec, chosen, [&](const weight_fault& f) { faults.push_back(f); }, limits);
    return faults;
}
template <class Net>
std::unique_ptr<parameters<Net>> some_parameters() {
    if constexpr (std::same_as<typename Net::number_type, float32>) return drawn_network<Net>();
    else return drawn_and_converted<Net>();
}

/// Draws, strikes and undoes; hands each struck word to check(fault).
template <class Net, class Check>
std::size_t strike_all(const fault_spec& spec, Check&& check) {
    const auto clean = some_parameters<Net>();
    const auto limits = limits_of<Net>(*clean);
    auto struck = std::make_unique<parameters<Net>>(*clean);
    auto faults = drawn<Net>(spec, &limits);
    for (auto& f : faults) {
        fault::apply<Net>(*struck, f);
        check(f, limits);
    }
    for (auto f = faults.rbegin(); f != faults.rend(); ++f) fault::undo<Net>(*struck, *f);
    CHECK(struck->bytes == clean->bytes);
    return faults.size();
}

template <class Word>
float real(std::uint32_t bits) { return real_of(from_word<Word>(static_cast<word_of<Word>>(bits))); }

}  // namespace

TEMPLATE_TEST_CASE("neighbouring, scattered and running bits strike as many bits as they say", "[fault][model]", float32,
                   float16, int8) {
    using net = net_of<TestType>;
    using word = typename TestType::weight;
    constexpr int bits = bits_in<word>;
    for (int n : {1, 2, 3, 5}) {
        fault_spec spec;
        spec.rate = 7e-3;
        std::map<int, int> lowest;
        spec.model = model_of(effect::flip, pattern::adjacent, n);
        CHECK(weight_bits<net>(spec, 0) == weight_bits<net>({}, 0) / bits * static_cast<std::uint64_t>(bits - n + 1));
        std::size_t count = strike_all<net>(spec, [&](const weight_fault& f, const auto&) {
            const std::uint32_t mask = f.before ^ f.after;
            CHECK(mask == ((1u << n) - 1u) << f.bit);
            ++lowest[f.bit];
        });
        CHECK(count > 20);
        CHECK(lowest.rbegin()->first <= bits - n);
        spec.model = model_of(effect::flip, pattern::scattered, n);
        spec.rate = 0.02;
        std::set<std::uint32_t> masks;
        count = strike_all<net>(spec, [&](const weight_fault& f, const auto&) {
            CHECK(std::popcount(f.before ^ f.after) == n);
            masks.insert(f.before ^ f.after);
        });
        CHECK(masks.size() > 5);
        // bursts run on into the next words: their bits add up
        spec.model = model_of(effect::flip, pattern::burst, n + 9);
        spec.rate = 5e-4;
        int struck = 0, words = 0;
        strike_all<net>(spec, [&](const weight_fault& f, const auto&) {
            struck += std::popcount(f.does.change.flip);
            ++words;
        });
        CHECK(struck % (n + 9) == 0);
        CHECK(words > struck / (n + 9));
    }
}

TEMPLATE_TEST_CASE("a burst is one run of bits in the order of the space", "[fault][model]", float32, int8) {
    using net = net_of<TestType>;
    constexpr int bits = bits_in<typename TestType::weight>;
    fault_spec spec;
    spec.count = 1;
    spec.model = model_of(effect::flip, pattern::burst, 2 * bits + 3);
    for (std::uint64_t trial = 0; trial < 50; ++trial) {
        std::set<std::uint64_t> struck;
        for (const auto& f : drawn<net>(spec, nullptr, trial)) {
            std::uint64_t word = f.word;
            for (int s = 0; s < f.slot; ++s) word += net::table.slots[static_cast<std::size_t>(s)].geometry.weights();
            for (int b = 0; b < 32; ++b)
                if ((f.does.change.flip >> b & 1u) != 0) struck.insert(word * bits + static_cast<std::uint64_t>(b));
        }
        CHECK(struck.size() == 2 * bits + 3);
        CHECK(*struck.rbegin() - *struck.begin() == struck.size() - 1);
    }
}

TEMPLATE_TEST_CASE("stuck bits, zero, random and out-of-range words", "[fault][model]", float32, float16, int8) {
    using net = net_of<TestType>;
    using word = typename TestType::weight;
    fault_spec spec;
    spec.rate = 0.05;
    for (const bool one : {false, true}) {
        spec.model = model_of(one ? effect::stuck_at_1 : effect::stuck_at_0);
        int kept = 0, moved = 0;
        strike_all<net>(spec, [&](const weight_fault& f, const auto&) {
            const std::uint32_t bit = 1u << f.bit;
            CHECK((f.after & bit) == (one ? bit : 0u));
            CHECK(((f.before ^ f.after) & ~bit) == 0);
            (f.before == f.after ? kept : moved) += 1;
        });
        CHECK(kept > 20);
        CHECK(moved > 20);
    }
    spec.model = model_of(effect::zero);
    CHECK(strike_all<net>(spec, [](const weight_fault& f, const auto&) { CHECK(real<word>(f.after) == 0.0f); }) > 20);
    spec.model = model_of(effect::random_word);
    std::set<std::uint32_t> words;
    const std::size_t count = strike_all<net>(spec, [&](const weight_fault& f, const auto&) { words.insert(f.after); });
    CHECK(words.size() > count / 2);
    spec.model = model_of(effect::out_of_range);
    strike_all<net>(spec, [](const weight_fault& f, const auto& limits) {
        const float limit = limits.weights[static_cast<std::size_t>(f.slot)], v = real<word>(f.after);
        if (TestType::is_integer && limit >= 127.0f) CHECK(v == -128.0f);
        else CHECK((v > limit || v < -limit));
    });
    spec.model = model_of(effect::not_a_number);
    if constexpr (TestType::is_integer) {
        CHECK(weight_bits<net>(spec, 0) == 0);
    } else {
        CHECK(strike_all<net>(spec, [](const weight_fault& f, const auto&) { CHECK(std::isnan(real<word>(f.after))); }) > 20);
    }
}

TEMPLATE_TEST_CASE("stuck cells of a crossbar: 83.7 : 16.3, zero or the largest magnitude", "[fault][model]", float32, int8) {
    using net = net_of<TestType>;
    using word = typename TestType::weight;
    fault_spec spec;
    spec.rate = 0.4;
    spec.model = model_of(effect::stuck_cell);
    double zeros = 0, full = 0;
    strike_all<net>(spec, [&](const weight_fault& f, const auto& limits) {
        const float v = real<word>(f.after), w = real<word>(f.before);
        if (f.does.push == 0) {
            CHECK(v == 0.0f);
            zeros += 1;
        } else {
            const float most = limits.weights[static_cast<std::size_t>(f.slot)];
            CHECK(v == (w == 0.0f ? 0.0f : w > 0.0f ? std::fmin(most, TestType::is_integer ? 127.0f : most) : -most));
            full += 1;
        }
    });
    CHECK(zeros / (zeros + full) == Approx(0.837).margin(4.0 * std::sqrt(0.837 * 0.163 / (zeros + full))));
    // the authors' code: a cell stuck at 0 strikes its own sign alone, one at 1 adds the maximum
    spec.model = model_of(effect::stuck_cell_pair);
    CHECK(weight_bits<net>(spec, 0) == 2 * weight_bits<net>({}, 0) / bits_in<word>);
    int spared = 0, pushed = 0;
    strike_all<net>(spec, [&](const weight_fault& f, const auto& limits) {
        const float v = real<word>(f.after), w = real<word>(f.before), most = limits.weights[static_cast<std::size_t>(f.slot)];
        if (f.does.push != 0) {
            CHECK(v == std::fmin(std::fmax(w + static_cast<float>(f.does.push) * most, -most), TestType::is_integer ? 127.0f : most));
            ++pushed;
        } else {
            const bool own = f.does.only_sign > 0 ? w > 0.0f : w < 0.0f;
            CHECK(v == (own ? 0.0f : w));
            spared += own ? 0 : 1;
        }
    });
    CHECK(spared > 10);
    CHECK(pushed > 10);
}

TEST_CASE("biases, scales and bounds are spaces of their own", "[fault][model]") {
    using guarded = harden<net_of<int8>, protect<is_weighted, range>>;
    fault_spec spec;
    spec.rate = 0.3;
    const auto count = [&](target t, auto net, std::uint64_t words) {
        using type = typename decltype(net)::type;
        spec.strikes = t;
        std::uint64_t bits = 0;
        for (int part : {-2, -3, -4})
            if (fault::impl::part_of_target(t) == part) bits = weight_bits<type>(spec, part);
        CHECK(bits == 32 * words);
        std::set<std::pair<std::uint64_t, int>> at;
        const auto clean = drawn_and_converted<type>();
        auto struck = std::make_unique<parameters<type>>(*clean);
        auto faults = drawn<type>(spec);
        for (auto& f : faults) {
            fault::apply<type>(*struck, f);
            at.insert({f.word * 64 + static_cast<std::uint64_t>(f.slot), f.bit});
        }
        CHECK(at.size() == faults.size());
        // the weights themselves are left alone
        for (int s = 0; s < type::table.slot_count; ++s)
            CHECK(std::equal(clean->weights(s).begin(), clean->weights(s).end(), struck->weights(s).begin()));
        CHECK((struck->bytes != clean->bytes) == (words != 0));
        for (auto f = faults.rbegin(); f != faults.rend(); ++f) fault::undo<type>(*struck, *f);
        CHECK(struck->bytes == clean->bytes);
    };
    count(target::biases, std::type_identity<guarded>{}, 28);
    count(target::scales, std::type_identity<guarded>{}, static_cast<std::uint64_t>(guarded::table.unit_count + 3));
    count(target::bounds, std::type_identity<guarded>{}, 6);
    count(target::bounds, std::type_identity<net_of<int8>>{}, 0);
    count(target::scales, std::type_identity<harden<net_of<float32>, protect<is_weighted, range>>>{}, 0);
}

TEST_CASE("multiply-adds are numbered without padding, each once", "[fault][model]") {
    for (const step& s : net_of<float32>::table.steps) {
        if (s.kind != op::convolution) continue;
        const fault::impl::mac_index index{s.geometry};
        CHECK(index.size() == static_cast<std::uint64_t>(s.geometry.executed_macs()));
        std::uint64_t place = 0;
        int wrong = 0;
        for (int row = 0; row < s.geometry.out.height; ++row)
            for (int column = 0; column < s.geometry.out.width; ++column)
                for (int c = 0; c < s.geometry.out.channels; ++c)
                    for (int step = 0; step < s.geometry.taps_at(row, column); ++step, ++place) {
                        const auto f = index.at(place);
                        wrong += static_cast<int>(f.output) != s.geometry.out.index(row, column, c) ||
                                 static_cast<int>(f.step) != step;
                    }
        CHECK(place == index.size());
        CHECK(wrong == 0);
    }
}

TEST_CASE("MiBB strikes a feature with 1 - (1 - p)^M and adds a power of two", "[fault][model]") {
    using net = net_of<int8>;
    fault_spec spec;
    spec.rate = 2e-3;
    spec.model = model_of(effect::bit_bias);
    fault_list list{8192};
    std::map<int, double> struck, expected;
    std::set<int> added;
    for (std::uint64_t trial = 0; trial < 200; ++trial) {
        draw_inference<net>(3, trial, 0, spec, inference_space::features, {}, list.policy);
        for (const auto& f : list.policy.faults()) {
            struck[f.step] += 1.0;
            added.insert(f.where.add);
            CHECK(std::popcount(static_cast<unsigned>(std::abs(f.where.add))) == 1);
            CHECK(f.where.mask == 0);
        }
    }
    CHECK(added.size() == 16);
    CHECK(*added.rbegin() == 128);
    for (int i = 0; i < net::table.step_count; ++i) {
        const step& s = net::table.steps[static_cast<std::size_t>(i)];
        if (s.kind != op::convolution || s.stores_logits) continue;
        const double mean = 200.0 * s.geometry.out.size() * (1.0 - std::pow(1.0 - 2e-3, s.geometry.fan_in()));
        CHECK(struck[i] == Approx(mean).margin(5.0 * std::sqrt(mean)));
    }
    CHECK(struck.size() == 2);  // no logits
    // the sum saturates at the frozen scale
    const auto weights = drawn_and_converted<net>();
    const auto image = drawn_images<net>(1)[0];
    const int conv = find_step<net>([](const step& s) { return s.kind == op::convolution; });
    const step& s = net::table.steps[static_cast<std::size_t>(conv)];
    const auto outputs = [&](std::int16_t add) {
        const auto space = std::make_unique<workspace<net>>();
        status<net> report;
        fault_list one{1};
        inference_fault f;
        f.step = conv;
        f.where.output = 7;
        f.where.add = add;
        one.policy.add(f);
        one.policy.sort();
        run<net>(*weights, image, *space, report, one.policy, 0, conv + 1);
        return static_cast<int>(space->template value<std::uint8_t>(s.out)[7]) - 128;
    };
    const int clean = outputs(0);
    for (const int amount : {1, -1, 16, -64, 128, -128}) {
        const auto add = static_cast<std::int16_t>(amount);
        if (clean == 0 && add < 0) CHECK(outputs(add) == 0);  // rectified
        else CHECK(outputs(add) == std::clamp<int>(clean + add, 0, 127));
    }
    // the float form: units of 2^-7 of the magnitude rounded up to a power of two
    CHECK(exponent_up(1.0f) == 0);
    CHECK(exponent_up(1.5f) == 1);
    CHECK(exponent_up(0.0f) == -126);
    CHECK(any_of_rate(1e-12, 9) == Approx(9e-12).epsilon(1e-9));
    CHECK(any_of_rate(0.25, 3) == Approx(1.0 - 0.421875).epsilon(1e-12));
    CHECK(any_of_rate(0.01, 5) == Approx(1.0 - std::pow(0.99, 5)).epsilon(1e-12));
}

TEST_CASE("lasting faults are the same for every image, others are not", "[fault][model]") {
    using net = net_of<float32>;
    fault_spec spec;
    spec.rate = 1e-3;
    spec.model = model_of(effect::stuck_at_1);
    const auto of_image = [&](std::uint32_t image) {
        fault_list list{4096};
        draw_inference<net>(3, 1, image, spec, inference_space::features, {}, list.policy);
        return std::vector<inference_fault>(list.policy.faults().begin(), list.policy.faults().end());
    };
    CHECK(of_image(0) != of_image(1));
    spec.lasts = true;
    CHECK(of_image(0) == of_image(1));
    CHECK(!of_image(0).empty());
}

TEMPLATE_TEST_CASE("a fault at a multiply-add strikes the accumulator there", "[fault][model]", float32, int8) {
    using net = net_of<TestType>;
    fault_spec spec;
    spec.count = 1;
    std::vector<std::uint64_t> chosen(1);
    fault_list list{4};
    const auto weights = some_parameters<net>();
    const auto image = drawn_images<net>(1)[0];
    const auto clean = words_of(answer_of<net>(*weights, image));
    std::set<int> steps;
    int changed = 0;
    CHECK(inference_bits<net>(spec, inference_space::accumulators, 0) % 32 == 0);
    for (std::uint64_t trial = 0; trial < 300; ++trial) {
        draw_inference<net>(4, trial, 0, spec, inference_space::accumulators, chosen, list.policy);
        REQUIRE(list.policy.size() == 1);
        const auto f = list.policy.faults()[0];
        const auto& g = net::table.steps[static_cast<std::size_t>(f.step)].geometry;
        CHECK(f.where.step < static_cast<std::uint32_t>(g.fan_in()));
        CHECK(std::popcount(f.where.mask) == 1);
        steps.insert(f.step);
        changed += words_of(answer_of<net>(*weights, image, list.policy)) != clean ? 1 : 0;
    }
    CHECK(steps.size() == 3);
    CHECK(changed > 30);
}

TEST_CASE("spatial patterns lie as they say and are as frequent as their table", "[fault][spatial]") {
    for (const auto shares : {patterns_of(op::convolution), patterns_of(op::max_pool), patterns_of(op::activate)}) {
        double sum = 0.0;
        for (const auto& s : shares) {
            sum += s.share;
            CHECK(s.all_inside + s.all_outside + s.all_nan <= 1.0);
        }
        CHECK(sum == Approx(1.0).margin(0.0015));  // published to three digits
    }
    const shape out{20, 11, 13};
    const int pixels = 143;
    random_stream random{5, {}};
    for (int kind = 0; kind <= static_cast<int>(spatial_pattern::random_in_channel); ++kind) {
        const auto pattern = static_cast<spatial_pattern>(kind);
        for (int draw = 0; draw < 300; ++draw) {
            const int anchor = static_cast<int>(random.below(static_cast<std::uint64_t>(out.size())));
            std::vector<std::array<int, 3>> at;
            std::set<std::array<int, 3>> once;
            lay_out(pattern, out, anchor, random, [&](int c, int y, int x) {
                at.push_back({c, y, x});
                once.insert({c, y, x});
                REQUIRE((c >= 0 && c < 20 && y >= 0 && y < 11 && x >= 0 && x < 13));
            });
            REQUIRE(!at.empty());
            CHECK(once.size() == at.size());
            std::set<int> channels, places, rows;
            for (const auto& [c, y, x] : at) {
                channels.insert(c);
                places.insert(y * 13 + x);
                rows.insert(y);
            }
            const int channel = anchor % 20, pixel = anchor / 20;
            const auto one_channel = [&] { return channels == std::set<int>{channel}; };
            switch (pattern) {
                case spatial_pattern::single: CHECK((at.size() == 1 && one_channel() && *places.begin() == pixel)); break;
                case spatial_pattern::same_row: CHECK((one_channel() && rows.size() == 1)); break;
                case spatial_pattern::bullet_wake: CHECK((places == std::set<int>{pixel} && channels.size() <= 16)); break;
                case spatial_pattern::skip_4:
                    for (std::size_t i = 0; i < at.size(); ++i)
                        CHECK(at[i][0] * pixels + at[i][1] * 13 + at[i][2] == channel * pixels + pixel + 4 * static_cast<int>(i));
                    break;
                case spatial_pattern::single_block:
                    CHECK((one_channel() && at.size() <= 64 && *places.begin() % 16 == 0));
                    CHECK(*places.rbegin() - *places.begin() + 1 == static_cast<int>(places.size()));
                    break;
                case spatial_pattern::full_channel: CHECK((one_channel() && at.size() >= 101)); break;
                case spatial_pattern::multichannel_block: CHECK(at.size() == channels.size() * places.size()); break;
                case spatial_pattern::rectangles: CHECK(at.size() == channels.size() * places.size()); break;
                case spatial_pattern::random_in_channel: CHECK((one_channel() && places.contains(pixel))); break;
                default: break;
            }
        }
    }
}

TEMPLATE_TEST_CASE("a struck operator is one step's, by its table, with values of the class drawn", "[fault][spatial]", float32, int8) {
    using net = net_of<TestType>;
    fault_spec spec;
    spec.count = 1;
    spec.model = model_of(effect::struck_operator);
    CHECK(inference_bits<net>(spec, inference_space::accumulators, 0) == 0);
    CHECK(weight_bits<net>(spec, 0) == 0);
    const auto weights = some_parameters<net>();
    auto limits = limits_of<net>(*weights);
    for (float& most : limits.outputs) most = 60.0f;
    std::vector<std::uint64_t> chosen(1);
    fault_list list{4096};
    int many = 0, inside = 0, outside = 0;
    for (std::uint64_t trial = 0; trial < 400; ++trial) {
        draw_inference<net>(6, trial, 0, spec, inference_space::features, chosen, list.policy, &limits);
        REQUIRE(list.policy.size() > 0);
        many += list.policy.size() > 1 ? 1 : 0;
        for (const auto& f : list.policy.faults()) {
            CHECK(f.step == list.policy.faults()[0].step);
            CHECK(f.where.keep == 0);
            const step& s = net::table.steps[static_cast<std::size_t>(f.step)];
            if (s.stores_logits) continue;
            float v = 0.0f;
            if constexpr (TestType::is_integer) v = static_cast<float>(static_cast<int>(f.where.mask & 0xffu) - 128);
            else v = from_word<float>(f.where.mask);
            (std::fabs(v) <= 60.0f ? inside : outside) += 1;
        }
        CHECK(words_of(answer_of<net>(*weights, drawn_images<net>(1)[0], list.policy)).size() == 3);
    }
    CHECK(many > 200);
    CHECK(inside > outside);
    CHECK(outside > 50);
}
