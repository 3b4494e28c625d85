// SPDX-License-Identifier: MIT
// Cones of drawn faults beside whole inferences.
#pragma once

#include <redoubt/campaign/cone.hpp>
#include <redoubt/fault/features.hpp>
#include <redoubt/fault/weights.hpp>

#include "support/catch.hpp"
#include "support/nets.hpp"

namespace support {

using namespace redoubt;
using namespace redoubt::campaign;

template <int Out, int Kernel = 3, int Stride = 1, int Pad = 1>
using conv = conv2d<conv_spec{.out = Out, .kernel = Kernel, .stride = Stride, .pad = Pad}>;

/// Strides, dilation, groups, a concat, pools of each kind, a residual that joins a convolution and one that does not.
template <number N>
using winding = network<image<3, 17, 14>, N, conv<24>, relu,
    residual<conv<24>, relu, conv<24>>, relu, max_pool<2>,
    concat<branch<conv<5, 1, 1, 0>>, branch<conv<20, 5, 1, 2>, relu>>, relu,
    conv2d<conv_spec{.out = 50, .kernel = hw{3, 1}, .stride = 2, .pad = hw{2, 0}, .dilation = 2, .groups = 5}>, relu,
    conv2d<conv_spec{.out = 50, .kernel = 3, .pad = 1, .groups = 50}>, relu,
    residual<max_pool<3, 1, 1>>, global_avg_pool, linear<40>, relu, linear<7>>;
using picture = image<1, 12, 12>;
template <number N>
using plain_resnet = with_number<model::resnet8<picture>, N>;

/// The words of an answer and its counters, by a whole inference and by its cone, for drawn faults of every kind.
template <class Net>
void check_cone(int draws) {
    static_assert(writes_once<Net>);
    const auto clean = drawn_and_converted<Net>();
    const auto images = drawn_images<Net>(3, 5);
    overlay<Net> space;
    std::vector<trace<Net>> golden;
    for (const auto& image : images) {
        golden.push_back(record_trace<Net>(*clean, image, space));
        const auto whole = answer_of<Net>(*clean, image);
        CHECK(words_of(golden.back().golden) == words_of(whole));
        CHECK(golden.back().golden.status.steps == whole.status.steps);
    }
    auto struck = std::make_unique<parameters<Net>>(*clean);
    fault_list list{4096};
    std::vector<std::uint64_t> chosen(8);
    int wrong = 0, changed = 0, same = 0;
    for (int draw = 0; draw < draws; ++draw) {
        fault::fault_spec spec;
        if (draw % 4 == 3) spec.rate = draw % 8 == 7 ? 1e-3 : 1e-4;
        else spec.count = 1 + static_cast<std::uint64_t>(draw % 3);
        const auto trial = static_cast<std::uint64_t>(draw);
        std::vector<fault::weight_fault> flips;
        list.policy.clear();
        spec.strikes = draw % 5 == 4 ? fault::target::biases : fault::target::weights;
        if (draw % 3 != 1)
            fault::draw_weights<Net>(11, trial, spec, chosen, [&](fault::weight_fault f) { flips.push_back(f); });
        if (draw % 3 != 0)
            fault::draw_inference<Net>(12, trial, 0, spec, draw % 2 == 0 ? fault::inference_space::features
                                                                         : fault::inference_space::activations,
                                       chosen, list.policy);
        strike<Net> what;
        for (auto& f : flips) {
            fault::apply<Net>(*struck, f);
            mark(what, f);
        }
        what.faults = list.policy.faults();
        const std::size_t i = static_cast<std::size_t>(draw) % images.size();
        const auto whole = answer_of<Net>(*struck, images[i], list.policy);
        const auto part = infer_struck<Net>(*struck, golden[i], what, space);
        wrong += words_of(whole) != words_of(part) || !(whole.status.steps == part.status.steps) ? 1 : 0;
        (words_of(part) != words_of(golden[i].golden) ? changed : same) += 1;
        for (auto f = flips.rbegin(); f != flips.rend(); ++f) fault::undo<Net>(*struck, *f);
    }
    CHECK(wrong == 0);
    CHECK(changed > draws / 10);
    CHECK(same > 0);
}

}  // namespace support
