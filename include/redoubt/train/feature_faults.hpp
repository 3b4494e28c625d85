// SPDX-License-Identifier: MIT
// Faults of features in the forward pass of training.
#pragma once

#include <redoubt/fault/space.hpp>
#include <redoubt/fault/spatial.hpp>
#include <redoubt/train/batch_options.hpp>

#include <algorithm>
#include <cmath>
#include <span>

namespace redoubt::train::inline REDOUBT_ABI {

/// A feature hook that strikes what convolutions make, after their norm: of eight-bit codes of the image's own scale 2^k, the smallest that holds its largest magnitude.
/// With effect::bit_bias the rate is that of a multiply-add and codes get +-2^i added (MiBB of FTT-NAS, arXiv 2003.10375); with any effect on bits or words it is that of a
/// place in the code; with effect::struck_operator that of an output from which a pattern of wrong ones begins (fault/spatial.hpp), their codes within the image's largest
/// magnitude or past it. Linear layers are left alone, as the authors do. Gradients pass straight through. Draws depend on the run's seed, the step, the layer and the image's place in the batch. (The authors' scale is that of the batch; ours lets images be computed apart.)
struct struck_features {
    fault::fault_model model{fault::effect::bit_bias};
    double rate = 0.0;

    void operator()(const feature_place& at, std::span<float> features) const {
        if (at.info == nullptr || at.info->is_linear || !(rate > 0.0)) return;
        float most = 0.0f;
        for (const float v : features) most = std::max(most, v < 0.0f ? -v : v);  // NaN compares false and is passed over
        if (!(most > 0.0f) || !(most < 0x1p120f)) return;
        const int exponent = fault::exponent_up(most);
        const float end = scaled(1.0f, exponent), unit = scaled(1.0f, exponent - 7);
        const fault::draw_key key{at.seed, at.step, fault::part_of(fault::space::features, at.slot), static_cast<std::uint32_t>(at.image)};
        if (model.does == fault::effect::struck_operator)
            return fault::draw_bits(key, rate, 0, features.size(), [&](std::uint64_t place) {
                fault::strike_operator<std::int8_t>(op::convolution, at.info->geometry.out, static_cast<int>(place), std::min(most / unit, 127.0f), 0, fault::details_of(key, place),
                                                    [&](std::uint32_t output, const auto& change) {
                                                        features[output] = static_cast<float>(static_cast<std::int8_t>(static_cast<std::uint8_t>(change.flip))) * unit;
                                                    });
            });
        const bool adds = model.does == fault::effect::bit_bias;
        const auto places = static_cast<std::uint64_t>(adds ? 1 : model.places_in(8));
        fault::draw_bits(key, adds ? fault::any_of_rate(rate, at.info->geometry.fan_in()) : rate, 0, features.size() * places, [&](std::uint64_t place) {
            float& v = features[static_cast<std::size_t>(place / places)];
            const fault::struck_word does =
                fault::strike_word<std::int8_t>(model, 0, 8, static_cast<int>(place % places), 127.0f, fault::details_of(key, place));
            if (adds) {
                v = std::clamp(v + static_cast<float>(does.add) * unit, -end, end);
            } else {
                const auto code = static_cast<std::int8_t>(round_saturate(v / unit, -128, 127));
                v = static_cast<float>(fault::struck_weight(code, does, 127.0f)) * unit;
            }
        });
    }
};

}  // namespace redoubt::train::inline REDOUBT_ABI
