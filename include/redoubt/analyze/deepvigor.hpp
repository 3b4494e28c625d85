// SPDX-License-Identifier: MIT
// Channel vulnerability factors in the manner of DeepVigor: where an answer changes is searched once an image, how far a flip moves a channel is counted without inferences.
#pragma once

#include <redoubt/analyze/ranking.hpp>
#include <redoubt/campaign/cone.hpp>
#include <redoubt/campaign/images.hpp>
#include <redoubt/campaign/parallel.hpp>
#include <redoubt/campaign/subject.hpp>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <memory>
#include <span>
#include <vector>

namespace redoubt::analyze::inline v1 {

/// The values at which error distributions are known: -2^10, -2^9, ..., -2^-10, 0, 2^-10, ..., 2^10.
inline constexpr auto vulnerability_grid = [] {
    std::array<double, 43> grid{};
    double v = 0x1p-10;
    for (std::size_t i = 0; i < 21; ++i, v *= 2.0) {
        grid[22 + i] = v;
        grid[20 - i] = -v;
    }
    return grid;
}();

struct vigor_spec {
    bool pooled = false;  ///< as in public code: one distribution of errors for all images, and errors past 2^10 always harmful
    std::uint64_t seed = 1;
    unsigned threads = 1;  ///< results do not depend on it
};

}  // namespace redoubt::analyze::inline v1

namespace redoubt::analyze::inline REDOUBT_ABI {

namespace impl {

/// Counts of errors by the interval of the grid that they lie in.
struct error_distribution {
    std::array<std::uint64_t, 44> counts{};  ///< [i]: above grid[i - 1], at most grid[i]; [43]: above all
    std::uint64_t undefined = 0;             ///< NaN

    void add(float error) {
        if (is_nan(error)) ++undefined;
        else ++counts[place_of(error)];
    }
    void add(const error_distribution& o) {
        undefined += o.undefined;
        for (std::size_t k = 0; k < counts.size(); ++k) counts[k] += o.counts[k];
    }
    /// The share of errors above grid[low] and at most grid[high].
    double share_between(std::size_t low, std::size_t high) const {
        std::uint64_t sum = 0;
        for (std::size_t k = low + 1; k <= high; ++k) sum += counts[k];
        return static_cast<double>(sum) / static_cast<double>(all());
    }
    double share_at(std::size_t i) const { return static_cast<double>(counts[i]) / static_cast<double>(all()); }
    std::uint64_t all() const {
        std::uint64_t sum = undefined;
        for (const std::uint64_t c : counts) sum += c;
        return sum;
    }

    /// The first number of the grid that is not below the error; not for NaN.
    static std::size_t place_of(float error) {
        const std::uint32_t magnitude = std::bit_cast<std::uint32_t>(error) & 0x7fffffffu;
        const int exponent = static_cast<int>(magnitude >> 23) - 127;
        if (error > 0.0f) return static_cast<std::size_t>(22 + std::clamp(exponent + ((magnitude & 0x7fffffu) != 0 ? 11 : 10), 0, 21));
        return error < 0.0f && exponent >= -10 ? static_cast<std::size_t>(10 - std::min(exponent, 10)) : std::size_t{21};
    }
};

/// What one layer's errors are made of: each weight's differences under a flip of each bit, times what the weight reads at drawn output pixels of each image.
template <network_type Net>
class error_sampler {
public:
    error_sampler(const step& s, std::span<const campaign::trace<Net>> traces, std::uint64_t seed) : g_{s.geometry} {
        const int pixels = g_.out.height * g_.out.width, samples = std::max(1, static_cast<int>(std::bit_width(static_cast<unsigned>(pixels))) - 1);
        samples_ = static_cast<std::size_t>(samples);
        reads_.resize(static_cast<std::size_t>(g_.kernel.h * g_.kernel.w * g_.in.channels));
        for (std::size_t image = 0; image < traces.size(); ++image) {
            const auto* const in = reinterpret_cast<const float*>(traces[image].values.get() + campaign::detail::trace_plan_of<Net>.offset[static_cast<std::size_t>(s.in)]);
            random_stream random{seed, {static_cast<std::uint32_t>(s.slot), static_cast<std::uint32_t>(image), 0, 0x5649474fu}};
            for (int n = 0; n < samples; ++n) {
                const int pixel = static_cast<int>(random.below(static_cast<std::uint64_t>(pixels)));
                for (int r = 0; r < g_.kernel.h; ++r)
                    for (int c = 0; c < g_.kernel.w; ++c)
                        for (int i = 0; i < g_.in.channels; ++i) {
                            const int y = g_.row_at(pixel / g_.out.width, r), x = g_.column_at(pixel % g_.out.width, c);
                            const bool inside = y >= 0 && y < g_.in.height && x >= 0 && x < g_.in.width;
                            reads_[static_cast<std::size_t>((r * g_.kernel.w + c) * g_.in.channels + i)].push_back(inside ? in[g_.in.index(y, x, i)] : 0.0f);
                        }
            }
        }
    }
    /// Of one channel, image by image.
    void of(const parameters<Net>& weights, int slot, int channel, std::span<error_distribution> by_image) const {
        std::fill(by_image.begin(), by_image.end(), error_distribution{});
        for (int r = 0; r < g_.kernel.h; ++r)
            for (int c = 0; c < g_.kernel.w; ++c)
                for (int i = 0; i < g_.group_in(); ++i) {
                    const float w = weights.weight_at(slot, channel, r, c, i);
                    const auto& reads = reads_[static_cast<std::size_t>((r * g_.kernel.w + c) * g_.in.channels + g_.first_input(channel) + i)];
                    for (int bit = 0; bit < 32; ++bit) {
                        const float moved = changed(w, {~std::uint32_t{0}, std::uint32_t{1} << bit}) - w;
                        // padding is not read, so that no error comes of it, also from a weight that is no number
                        for (std::size_t n = 0; n < reads.size(); ++n) by_image[n / samples_].add(reads[n] == 0.0f ? 0.0f : moved * reads[n]);
                    }
                }
    }

private:
    kernel::conv_geometry g_;
    std::size_t samples_;                    ///< of an image
    std::vector<std::vector<float>> reads_;  ///< of each tap and input channel, image by image
};

}  // namespace impl

/// Images whose traces channel_vulnerability() keeps at once.
template <network_type Net>
inline constexpr std::size_t most_traced_images = campaign::trace_budget / campaign::trace_bytes<Net>;

/// "deepvigor": of each output channel VF = 1 - mean over images of (F(d+) - F(d-)). F is the distribution of the errors that a flip makes in one output of the
/// channel, (w' - w) x, over the 32 bits of every weight of its filter and what these weights read at log2(pixels) drawn output pixels of the image, known at
/// vulnerability_grid; d+ and d- are the numbers of the grid, above and below 0, of the least magnitude that added to the channel's whole map change the
/// predicted class, found by bisection, or +-2^10; errors past 2^10 do what 2^10 does. Ahmadilivani et al., "DeepVigor: vulnerability value ranges and factors
/// for DNNs' reliability assessment" (ETS 2023, arXiv 2303.06931), and DeepVigor+ (arXiv 2410.15742), after public code for the latter; with spec.pooled errors are those of
/// all images together and 2^10 is what lies past it, as there; but that code looks only at places of the grid that have errors, and asks a gradient whether a map matters at all.
///
/// At most most_traced_images<Net> images. An approximation: a flip moves a map's pixels by different amounts, and one drawn pixel that reads 0 says nothing of the others; bisection takes the change
/// of class for monotonous; what lies between 0 and d+ rounded up to the grid counts as harmless. float32 without protections, biases not among the errors. NaN
/// errors are harmful. Deterministic. Cost: for each channel and image some twelve inferences behind the channel, and 32 log2(pixels) products a weight and
/// image; memory: a trace an image.
template <network_type Net>
ranking channel_vulnerability(const parameters<Net>& weights, const campaign::prepared_images& images, const vigor_spec& spec = {}) {
    static_assert(std::same_as<typename Net::number_type, float32> && std::same_as<Net, without_protection<Net>>,
                  "redoubt: vulnerability factors are those of the float32 network without protections");
    static_assert(campaign::writes_once<Net>);
    REDOUBT_EXPECTS(images.size() > 0 && images.image_size == static_cast<std::size_t>(Net::input_shape.size()) && spec.threads > 0);
    REDOUBT_EXPECTS(images.size() <= most_traced_images<Net>);
    std::vector<campaign::trace<Net>> traces(images.size());
    campaign::parallel_for(traces.size(), spec.threads, [] { return std::make_unique<campaign::overlay<Net>>(); },
                           [&](auto& space, std::size_t i) { traces[i] = campaign::record_trace<Net>(weights, images.image(i), *space); });
    ranking r = ranking_of<Net>(weights, "deepvigor");
    r.per_fault = true;
    r.images = images.size();
    struct worker {
        std::unique_ptr<parameters<Net>> own;
        std::unique_ptr<campaign::overlay<Net>> over = std::make_unique<campaign::overlay<Net>>();
    };
    for (int i = 0; i < Net::table.step_count; ++i) {
        const step& s = Net::table.steps[static_cast<std::size_t>(i)];
        if (s.slot < 0) continue;
        const impl::error_sampler<Net> sampler{s, traces, spec.seed};
        std::vector<double>& scores = r.layers[static_cast<std::size_t>(s.slot)].channels;
        campaign::parallel_for(scores.size(), spec.threads, [&] { return worker{std::make_unique<parameters<Net>>(weights)}; }, [&](worker& w, std::size_t channel) {
            std::vector<impl::error_distribution> errors(traces.size());
            sampler.of(weights, s.slot, static_cast<int>(channel), errors);
            if (spec.pooled) {
                impl::error_distribution all;
                for (const auto& e : errors) all.add(e);
                std::fill(errors.begin(), errors.end(), all);
            }
            campaign::strike<Net> where;
            where.slots[static_cast<std::size_t>(s.slot)].add(s.geometry.block_of(static_cast<int>(channel)));
            float& bias = w.own->biases(s.slot)[channel];  // added to the whole map
            const float own = bias;
            double harmless = 0.0;
            for (std::size_t n = 0; n < traces.size(); ++n) {
                const campaign::trace<Net>& trace = traces[n];
                const auto changes = [&](double added) {
                    bias = own + static_cast<float>(added);
                    const int top = campaign::infer_struck<Net>(*w.own, trace, where, *w.over).top1();
                    bias = own;
                    return top != trace.golden.top1();
                };
                const auto least = [&](bool reached, auto place) {  // place(k) is the grid's place of 2^(k - 10) of one sign
                    std::size_t below = 0, at = 20;
                    if (!reached) return place(20);
                    if (changes(vulnerability_grid[place(0)])) return place(0);
                    while (at - below > 1) {
                        const std::size_t middle = (at + below) / 2;
                        (changes(vulnerability_grid[place(middle)]) ? at : below) = middle;
                    }
                    return place(at);
                };
                const bool down = changes(vulnerability_grid[0]), up = changes(vulnerability_grid[42]);
                harmless += errors[n].share_between(least(down, [](std::size_t k) { return 20 - k; }), least(up, [](std::size_t k) { return 22 + k; }));
                if (spec.pooled) continue;
                if (!down) harmless += errors[n].share_at(0);
                if (!up) harmless += errors[n].share_at(43);
            }
            scores[channel] = std::clamp(1.0 - harmless / static_cast<double>(traces.size()), 0.0, 1.0);
        });
    }
    return r;
}

}  // namespace redoubt::analyze::inline REDOUBT_ABI
