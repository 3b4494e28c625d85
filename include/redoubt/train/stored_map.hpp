// SPDX-License-Identifier: MIT
// Weights as they will be stored, struck or not, while they are trained.
#pragma once

#include <redoubt/fault/space.hpp>
#include <redoubt/nn/convert.hpp>
#include <redoubt/train/weight_map.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <span>

namespace redoubt::train::inline v1 {

/// Words that a deployed network keeps its weights in.
enum class weight_storage : std::uint8_t {
    fp32,
    fp16,
    q2_5,  ///< fixed<2, 5>
    int8,  ///< one power of two a layer, chosen anew from the weights at each step as convert() chooses it; the norm's scale in the word, as it is deployed
};

/// What strikes stored words in a forward pass.
struct stored_faults {
    fault::fault_model model{};   ///< any that strikes weights
    double rate = 0.0;            ///< of each place (fault/space.hpp)
    bool lasts = false;           ///< the same at every step, as defects of one chip; else drawn anew
    bool blocks_gradient = false; ///< no gradient at struck words (stuck cells, FTT-NAS); else it passes straight through (RandBET)
};

}  // namespace redoubt::train::inline v1

namespace redoubt::train::inline REDOUBT_ABI {

/// Rounds weights to stored words and back, and strikes the words between. Gradients pass straight through the rounding (Bengio, Leonard, Courville 2013), and are 0 where
/// a word has come to the end of its range. Draws depend on the run's seed, the step, the layer and the weight's logical index.
struct stored_map {
    weight_storage as = weight_storage::fp32;
    stored_faults faults{};

    void forward(const map_place& at, std::span<const float> from, std::span<float> to) const {
        with_word(at, from, [&]<class Word>(const codec<Word>& code) {
            std::fill(to.begin(), to.end(), 0.0f);
            float most = 0.0f;
            for_each_weight(at, [&](std::size_t, std::size_t w, float gain) {
                const Word word = code.encode(from[w], gain);
                const float real = fault::real_of(word);
                most = std::max(most, real < 0.0f ? -real : real);
                to[w] = code.decode(word, gain);
            });
            strike<Word>(at, most, [&](std::size_t w, float gain, const fault::struck_word& does) {
                // a word may be struck more than once: what it holds by now is what the first strike left
                to[w] = code.decode(fault::struck_weight(code.encode(to[w], gain), does, most), gain);
            });
        });
    }
    void backward(const map_place& at, std::span<const float> from, std::span<float> gradient) const {
        with_word(at, from, [&]<class Word>(const codec<Word>& code) {
            if constexpr (sizeof(Word) == 1)
                for_each_weight(at, [&](std::size_t, std::size_t w, float gain) {
                    if (!code.holds(from[w], gain)) gradient[w] = 0.0f;
                });
            if (!faults.blocks_gradient) return;
            strike<Word>(at, 1.0f, [&](std::size_t w, float gain, const fault::struck_word& does) {
                const float real = fault::real_of(code.encode(from[w], gain));
                if (does.only_sign == 0 || (does.only_sign > 0 ? real > 0.0f : real < 0.0f)) gradient[w] = 0.0f;
            });
        });
    }

private:
    template <class Word>
    struct codec {
        int frac = 0;  ///< of integers
        Word encode(float w, float gain) const {
            if constexpr (std::is_integral_v<Word>) return static_cast<Word>(round_saturate(scaled(w * gain, frac), -128, 127));
            else return static_cast<Word>(w);
        }
        float decode(Word word, float gain) const {
            if constexpr (std::is_integral_v<Word>) return gain == 0.0f ? 0.0f : scaled(static_cast<float>(word), -frac) / gain;
            else return static_cast<float>(word);
        }
        /// Whether a weight lies within the format.
        bool holds(float w, float gain) const {
            if constexpr (std::is_integral_v<Word>) {
                const float code = scaled(w * gain, frac);
                return code >= -128.5f && code <= 127.5f;
            } else {
                return w >= -4.0f && w <= 3.984375f;
            }
        }
    };

    /// body(logical index, place in the wide layout, gain) for each weight.
    template <class Body>
    static void for_each_weight(const map_place& at, Body&& body) {
        const kernel::conv_geometry& g = at.info.geometry;
        const auto fan_in = static_cast<std::size_t>(g.fan_in());
        for (std::size_t i = 0; i < g.weights(); ++i) body(i, kernel::wide_layout{}.index_of_logical(g, i), at.gain(static_cast<int>(i / fan_in)));
    }
    template <class Body>
    void with_word(const map_place& at, std::span<const float> weights, Body&& body) const {
        switch (as) {
            case weight_storage::fp32: return body(codec<float>{});
            case weight_storage::fp16: return body(codec<half>{});
            case weight_storage::q2_5: return body(codec<fixed<2, 5>>{});
            case weight_storage::int8: {
                float most = 0.0f;
                for_each_weight(at, [&](std::size_t, std::size_t w, float gain) { most = std::max(most, std::abs(weights[w] * gain)); });
                const kernel::conv_geometry& g = at.info.geometry;
                const auto fan_in = static_cast<std::size_t>(g.fan_in());
                return body(codec<std::int8_t>{redoubt::impl::weight_frac_for(g.weights(), most, [&](std::size_t i) {
                    return weights[kernel::wide_layout{}.index_of_logical(g, i)] * at.gain(static_cast<int>(i / fan_in));
                })});
            }
        }
    }
    /// body(place in the wide layout, gain, what happens) for each struck word.
    template <class Word, class Body>
    void strike(const map_place& at, float limit, Body&& body) const {
        if (!(faults.rate > 0.0)) return;
        const kernel::conv_geometry& g = at.info.geometry;
        const int count = static_cast<int>(sizeof(Word)) * 8, per_word = faults.model.places_in(count);
        const fault::draw_key key{at.seed, faults.lasts ? 0 : at.step + 1, fault::part_of(fault::space::weights, 0), static_cast<std::uint32_t>(at.slot)};
        fault::draw_bits(key, faults.rate, 0, g.weights() * static_cast<std::uint64_t>(per_word), [&](std::uint64_t place) {
            const std::uint64_t i = place / static_cast<std::uint64_t>(per_word);
            const int bit = static_cast<int>(place % static_cast<std::uint64_t>(per_word));
            body(kernel::wide_layout{}.index_of_logical(g, static_cast<std::size_t>(i)), at.gain(static_cast<int>(i / static_cast<std::uint64_t>(g.fan_in()))),
                 fault::strike_word<Word>(faults.model, 0, count, bit, limit, fault::details_of(key, place)));
        });
    }
};

}  // namespace redoubt::train::inline REDOUBT_ABI
