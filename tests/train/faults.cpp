// SPDX-License-Identifier: MIT
// Training under faults: stored words, features, the second pass, and what a teacher adds.
#include "train/networks.hpp"

#include <redoubt/train/deploy.hpp>
#include <redoubt/train/feature_faults.hpp>
#include <redoubt/train/stored_map.hpp>

#include "support/catch.hpp"
#include "support/kernels.hpp"

#include <cmath>
#include <limits>
#include <set>

using namespace train_tests;

namespace {

using net = network<image<3, 6, 6>, float32, conv<20>, batch_norm, relu, conv<24, 2>, batch_norm, relu, linear<3>>;
using train::weight_storage;

train::map_place place_of(const redoubt::slot& s, std::uint64_t step, std::span<const float> gains = {}) { return {0, s, 7, step, gains}; }

std::vector<float> drawn_weights(const redoubt::slot& s, float most) {
    std::vector<float> w(kernel::wide_layout{}.size(s.geometry));
    random_stream random{11, {}};
    for (std::size_t i = 0; i < s.geometry.weights(); ++i)
        w[kernel::wide_layout{}.index_of_logical(s.geometry, i)] = static_cast<float>(2.0 * random.unit() - 1.0) * most;
    return w;
}

template <class Word>
void check_rounding(weight_storage as, float most) {
    const redoubt::slot& s = net::table.slots[0];
    const auto from = drawn_weights(s, most);
    std::vector<float> to(from.size(), 5.0f);
    const train::stored_map map{as, {}};
    map.forward(place_of(s, 0), from, to);
    int wrong = 0;
    for (std::size_t i = 0; i < from.size(); ++i) wrong += to[i] == static_cast<float>(static_cast<Word>(from[i])) ? 0 : 1;
    CHECK(wrong == 0);
    std::vector<float> gradient(from.size(), 1.0f);
    map.backward(place_of(s, 0), from, gradient);
    int blocked = 0, beyond = 0;
    for (std::size_t i = 0; i < from.size(); ++i) {
        blocked += gradient[i] == 0.0f ? 1 : 0;
        beyond += sizeof(Word) == 1 && (from[i] < -4.0f || from[i] > 3.984375f) ? 1 : 0;
    }
    CHECK(blocked == beyond);
}

/// The struck places of a map, and what came of them.
std::set<std::size_t> changed_by(const train::stored_map& map, std::uint64_t step, const std::vector<float>& from) {
    const redoubt::slot& s = net::table.slots[0];
    std::vector<float> plain(from.size()), struck(from.size());
    train::stored_map{map.as, {}}.forward(place_of(s, step), from, plain);
    map.forward(place_of(s, step), from, struck);
    std::set<std::size_t> at;
    for (std::size_t i = 0; i < from.size(); ++i)
        if (to_word(plain[i]) != to_word(struck[i])) at.insert(i);
    return at;
}

}  // namespace

TEST_CASE("weights are trained as the words that will be stored") {
    check_rounding<float>(weight_storage::fp32, 3.0f);
    check_rounding<half>(weight_storage::fp16, 3.0f);
    check_rounding<fixed<2, 5>>(weight_storage::q2_5, 6.0f);
}

TEST_CASE("int8 words in training are those that are deployed, norms in them") {
    const batch b = drawn_batch<net>(16, 4);
    train::recipe by;
    by.maps = {train::stored_map{weight_storage::int8, {}}};
    train::trainer<net> t{by};
    for (int i = 0; i < 3; ++i) REQUIRE(t.step(b.pixels, b.labels));
    using integers = with_number<net, int8>;
    const auto floats = train::deploy<net>(t);
    static workspace<net> space;
    calibration<net> seen;
    observe<net>(*floats, std::span<const float>{b.pixels}.first(108), space, seen);
    auto deployed = std::make_unique<parameters<integers>>();
    convert<net, integers>(*floats, seen, *deployed);
    for (int s = 0; s < 2; ++s) {
        const redoubt::slot& info = net::table.slots[static_cast<std::size_t>(s)];
        const auto& r = t.parts().layout().slots[static_cast<std::size_t>(s)];
        std::vector<float> gains(r.channels), out(r.weight_words);
        for (std::size_t c = 0; c < r.channels; ++c)
            gains[c] = static_cast<float>(static_cast<double>(t.parts().parameters[r.scale + c]) /
                                          std::sqrt(static_cast<double>(t.parts().running[static_cast<std::size_t>(s)].variance[c]) + 1e-5));
        by.maps[0].forward({s, info, 0, 0, gains}, {t.parts().parameters.data() + r.weights, r.weight_words}, out);
        int wrong = 0;
        for (std::size_t i = 0; i < info.geometry.weights(); ++i) {
            const auto channel = i / static_cast<std::size_t>(info.geometry.fan_in());
            const float code = scaled(out[kernel::wide_layout{}.index_of_logical(info.geometry, i)] * gains[channel], deployed->weight_frac(s));
            const float want = static_cast<float>(deployed->weights(s)[kernel::layout_of<int8>.index_of_logical(info.geometry, i)]);
            // a product that lies at half a unit may round to the other side
            wrong += std::abs(code - want) < 1e-3f ? 0 : 1;
        }
        CHECK(wrong <= 2);
    }
}

TEST_CASE("words of eight bits that were trained through a function are those that are deployed") {
    using bending = network<image<3, 6, 6>, stored<float32, fixed<2, 5>>, saf<conv<20>, batch_norm>, relu, saf<conv<24, 3, 2>, batch_norm>, relu, saf<linear<3>>>;
    const batch b = drawn_batch<net>(16, 4);
    train::recipe by;
    by.maps = {train::stored_map{weight_storage::q2_5, {}}};
    by.functions = {train::saturating_map{}};
    train::trainer<network<image<3, 6, 6>, float32, conv<20>, batch_norm, relu, conv<24, 3, 2>, batch_norm, relu, linear<3>>> t{by};
    for (float& w : t.parts().parameters) w *= 4.0f;  // where tanh bends
    REQUIRE(t.step(b.pixels, b.labels));
    const auto deployed = train::deploy<bending>(t);
    for (int s = 0; s < 3; ++s) {
        const auto& r = t.parts().layout().slots[static_cast<std::size_t>(s)];
        int wrong = 0, bent = 0;
        for (std::size_t i = 0; i < r.weight_words; ++i) {
            const float w = t.parts().parameters[r.weights + i];
            // the way through the function and back may cross half a unit
            wrong += std::abs(static_cast<int>(deployed->weights(s)[i].code()) - static_cast<int>(fixed<2, 5>{w}.code())) <= (std::abs(w) < 1.0f ? 0 : 1) ? 0 : 1;
            bent += std::abs(w) > 0.7f ? 1 : 0;
        }
        CHECK(wrong <= 1);
        if (s == 0) CHECK(bent > 20);
    }
}

TEST_CASE("a faulty pass that does not count moves no statistics") {
    const batch b = drawn_batch<net>(16, 4);
    train::recipe by;
    by.faulty = {.share = 0.5, .only_below = 100.0, .maps = {train::stored_map{weight_storage::fp32, {{fault::effect::not_a_number}, 0.5}}}};
    train::trainer<net> t{by}, clean{train::recipe{}};
    REQUIRE(t.step(b.pixels, b.labels));
    REQUIRE(clean.step(b.pixels, b.labels));
    CHECK(t.is_finite());
    CHECK(t.parts().running[0].variance == clean.parts().running[0].variance);
    CHECK(t.parts().parameters == clean.parts().parameters);
    t.parts().running[1].mean[0] = std::numeric_limits<float>::infinity();
    CHECK_FALSE(t.is_finite());
}

TEST_CASE("stored words are struck at the rate, anew at each step, and gradients follow the rule") {
    const redoubt::slot& s = net::table.slots[0];
    const auto from = drawn_weights(s, 0.5f);
    train::stored_map flips{weight_storage::q2_5, {{fault::effect::flip}, 0.01}};
    std::size_t struck = 0;
    for (std::uint64_t step = 0; step < 200; ++step) struck += changed_by(flips, step, from).size();
    const double expected = 200.0 * static_cast<double>(s.geometry.weights()) * (1.0 - std::pow(0.99, 8));
    CHECK(std::abs(static_cast<double>(struck) - expected) < 6.0 * std::sqrt(expected));
    CHECK(changed_by(flips, 1, from) == changed_by(flips, 1, from));
    CHECK(changed_by(flips, 1, from) != changed_by(flips, 2, from));
    flips.faults.lasts = true;
    CHECK(changed_by(flips, 1, from) == changed_by(flips, 2, from));
    // straight through, or blocked where struck
    std::vector<float> gradient(from.size(), 1.0f);
    flips.backward(place_of(s, 1), from, gradient);
    CHECK(std::ranges::count(gradient, 0.0f) == 0);
    flips.faults.blocks_gradient = true;
    flips.backward(place_of(s, 1), from, gradient);
    const auto at = changed_by(flips, 1, from);
    for (std::size_t i = 0; i < gradient.size(); ++i) CHECK((gradient[i] == 0.0f) == at.contains(i));
    // stuck cells: 0 or the largest magnitude
    const train::stored_map cells{weight_storage::q2_5, {{fault::effect::stuck_cell}, 0.3}};
    std::vector<float> plain(from.size()), out(from.size());
    train::stored_map{weight_storage::q2_5, {}}.forward(place_of(s, 4), from, plain);
    cells.forward(place_of(s, 4), from, out);
    float most = 0.0f;
    for (float v : plain) most = std::max(most, std::abs(v));
    for (std::size_t i : changed_by(cells, 4, from)) CHECK((out[i] == 0.0f || std::abs(out[i]) == most));
}

TEST_CASE("biases of bits in features are of the image's scale and come at the rate of their multiply-adds") {
    const redoubt::slot& s = net::table.slots[1];
    const train::struck_features hook{{fault::effect::bit_bias}, 1e-4};
    std::vector<float> clean(static_cast<std::size_t>(s.geometry.out.size()));
    random_stream random{3, {}};
    for (float& v : clean) v = static_cast<float>(random.unit() * 3.0 - 1.5);
    clean[5] = 1.75f;  // the largest: the scale is 2
    std::size_t struck = 0;
    for (std::uint64_t step = 0; step < 400; ++step) {
        auto v = clean;
        hook({1, &s, 3, 7, step}, v);
        for (std::size_t i = 0; i < v.size(); ++i) {
            if (v[i] == clean[i]) continue;
            ++struck;
            const float by = std::abs(v[i] - clean[i]) * 64.0f;
            const bool at_end = std::abs(v[i]) == 2.0f;
            CHECK((at_end || std::abs(std::log2(by) - std::round(std::log2(by))) < 1e-3f));
        }
    }
    const double rate = 1.0 - std::pow(1.0 - 1e-4, s.geometry.fan_in());
    const double expected = 400.0 * static_cast<double>(clean.size()) * rate;
    CHECK(std::abs(static_cast<double>(struck) - expected) < 6.0 * std::sqrt(expected));
    auto v = clean;
    hook({2, &net::table.slots[2], 3, 7, 1}, v);
    CHECK(v == clean);
}

TEST_CASE("struck operators in features are patterns of codes of the image's scale, within its largest magnitude and past it on both sides") {
    const train::struck_features hook{{fault::effect::struck_operator}, 2e-3};
    slot info;
    info.geometry = {.in = {3, 12, 12}, .out = {16, 12, 12}, .kernel = 3, .pad = 1};
    std::vector<float> clean(static_cast<std::size_t>(info.geometry.out.size()));
    random_stream random{4, {}};
    for (float& v : clean) v = static_cast<float>(random.unit()) * 4.5f - 2.0f;
    clean[7] = 2.5f;  // the scale is 4 / 128: codes reach 80
    int struck = 0, calm = 0, above = 0, below = 0;
    for (std::uint64_t step = 0; step < 200; ++step) {
        std::vector<float> features = clean, again = clean;
        hook({0, &info, 3, 9, step}, features);
        hook({0, &info, 3, 9, step}, again);
        CHECK(features == again);
        for (std::size_t i = 0; i < features.size(); ++i) {
            if (features[i] == clean[i]) continue;
            ++struck;
            const float code = features[i] * 32.0f;
            CHECK((code == std::round(code) && code >= -128.0f && code <= 127.0f));
            above += code > 80.0f ? 1 : 0;
            below += code < -80.0f ? 1 : 0;
        }
        calm += features == clean ? 1 : 0;
    }
    // 4.6 anchors a step on average, of ten and more outputs each
    CHECK(calm < 10);
    CHECK(struck > 200 * 46);
    // of the values of the pattern that is struck most, skip_4, three quarters lie outside; of others a quarter
    CHECK(above > struck / 12);
    CHECK(below > struck / 12);
    CHECK(above + below < struck * 2 / 3);
}

TEST_CASE("a faulty pass mixes losses and gradients as it says") {
    const batch b = drawn_batch<net>(16, 4);
    const train::stored_map cells{weight_storage::int8, {{fault::effect::stuck_cell}, 0.08, false, true}};
    train::recipe clean, faulty, both;
    faulty.maps = {cells};
    both.faulty = {.share = 0.3, .maps = {cells}};
    both.optimiser = clean.optimiser = {.momentum = 0.0};
    train::trainer<net> one{clean}, other{faulty}, mixed{both};
    const auto a = one.gradients_of(b.pixels, b.labels), f = other.gradients_of(b.pixels, b.labels);
    const auto start = mixed.parts().parameters;
    const auto did = mixed.step(b.pixels, b.labels);
    REQUIRE((a && f && did));
    CHECK(did->loss == *a);
    CHECK(did->faulty_loss == *f);
    int wrong = 0;
    for (std::size_t i = 0; i < start.size(); ++i) {
        const float g = fused(0.3f, other.parts().gradients[i] - one.parts().gradients[i], one.parts().gradients[i]);
        wrong += mixed.parts().gradients[i] == g ? 0 : 1;
    }
    CHECK(wrong == 0);
    // statistics of both passes, or of the clean one alone
    CHECK(mixed.parts().running[0].mean != one.parts().running[0].mean);
    both.faulty.own_statistics = false;
    train::trainer<net> kept{both};
    REQUIRE(kept.step(b.pixels, b.labels));
    CHECK(kept.parts().running[0].mean == one.parts().running[0].mean);
    CHECK(kept.parts().gradients != mixed.parts().gradients);
    both.faulty.own_statistics = true;
    both.faulty.clamp = 1e-3;
    train::trainer<net> held{both};
    REQUIRE(held.step(b.pixels, b.labels));
    for (std::size_t i = 0; i < start.size(); ++i) {
        const float g = std::clamp(other.parts().gradients[i], -1e-3f, 1e-3f);
        wrong += held.parts().gradients[i] == fused(0.3f, g - one.parts().gradients[i], one.parts().gradients[i]) ? 0 : 1;
    }
    CHECK(wrong == 0);
    // not while the losses are large
    both.faulty.only_below = 0.1;
    train::trainer<net> waiting{both};
    REQUIRE(waiting.step(b.pixels, b.labels));
    CHECK(waiting.parts().gradients == one.parts().gradients);
}

TEST_CASE("training under faults has the same bits on any number of threads") {
    const batch b = drawn_batch<net>(64, 4);
    std::vector<train::floats> ends;
    for (const unsigned threads : {1u, 3u}) {
        train::recipe by;
        by.threads = threads;
        by.maps = {train::stored_map{weight_storage::q2_5, {}}};
        by.functions = {train::saturating_map{kernel::saturation::tanh, 0.5f}};
        by.faulty = {.share = 0.5, .maps = {train::stored_map{weight_storage::q2_5, {{fault::effect::flip}, 1e-2}}}, .features = train::struck_features{{fault::effect::bit_bias}, 1e-4}};
        by.largest_weight = 0.2;
        train::trainer<net> t{by};
        for (int i = 0; i < 3; ++i) REQUIRE(t.step(b.pixels, b.labels));
        ends.push_back(t.parts().parameters);
        float most = 0.0f;
        for (const auto& r : t.parts().layout().slots)
            for (std::size_t i = 0; i < r.weight_words; ++i) most = std::max(most, std::abs(t.parts().parameters[r.weights + i]));
        CHECK(most == 0.2f);
        // what is exported has gone through the function, not through the words
        const auto file = t.tensors();
        const auto first = io::as_floats(file.tensors.front());
        REQUIRE(first);
        for (const float w : *first) CHECK(std::abs(w) <= 0.19f);
    }
    CHECK(ends[0] == ends[1]);
}

TEST_CASE("a teacher's loss and its gradient") {
    const double own[] = {0.3, -1.2, 2.0, 0.1}, its[] = {1.0, 0.5, -0.7, 2.0};
    for (const double temperature : {1.0, 4.0}) {
        const auto loss_at = [&](std::span<const double> logits) {
            double unused[4] = {};
            return train::distillation<double>(logits, its, temperature, 1.0, unused);
        };
        double gradient[4] = {};
        train::distillation<double>(own, its, temperature, 0.5, gradient);
        for (int i = 0; i < 4; ++i) {
            double up[4], down[4];
            std::copy(own, own + 4, up);
            std::copy(own, own + 4, down);
            up[i] += 1e-5;
            down[i] -= 1e-5;
            CHECK(gradient[i] == Approx(0.5 * (loss_at(up) - loss_at(down)) / 2e-5).margin(1e-8));
        }
        CHECK(train::distillation<double>(its, its, temperature, 1.0, gradient) == Approx(0.0).margin(1e-12));
    }
    // in training: a network that is its own teacher has nothing to learn from it
    const batch b = drawn_batch<net>(8, 4);
    train::recipe by;
    train::trainer<net> plain{by};
    const auto logits_of = [&](std::span<const float>, std::span<float> to) { std::fill(to.begin(), to.end(), 0.0f); };
    by.teacher = logits_of;
    by.teacher_share = 0.25;
    by.temperature = 2.0;
    train::trainer<net> taught{by};
    const auto a = plain.gradients_of(b.pixels, b.labels), t = taught.gradients_of(b.pixels, b.labels);
    REQUIRE((a && t));
    double expected = 0.75 * *a;
    const auto logits = plain.parts().logits();
    const float flat[3] = {};
    for (std::size_t i = 0; i < 8; ++i) {
        float unused[3] = {};
        expected += 0.25 / 8.0 * train::distillation<float>(logits.subspan(i * 3, 3), flat, 2.0, 1.0, unused);
    }
    CHECK(*t == Approx(expected));
}
