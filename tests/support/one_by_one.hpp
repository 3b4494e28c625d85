// SPDX-License-Identifier: MIT
// A small network of every kind of layer with parameters, and all its single faults one by one.
#pragma once

#include "support/nets.hpp"

#include <vector>

namespace support {

using namespace redoubt;

template <class... Layers> using unprotected = sequence<Layers...>;
/// A convolution, one by channels within a residual, and a linear layer.
template <number N, template <class...> class P>
using small_net = network<image<2, 3, 3>, N, P<conv2d<conv_spec{.out = 4, .kernel = 3, .pad = 1}>>, relu,
                          residual<P<conv2d<conv_spec{.out = 4, .kernel = 3, .pad = 1, .groups = 4}>>>, relu, P<linear<3>>>;

/// Inferences of one image in the same scratch.
template <class Net>
class repeated_inference {
public:
    explicit repeated_inference(const parameters<Net>& weights) : weights_{weights} {}

    answer<Net> operator()() { return infer<Net>(weights_, memory_, image_, *space_); }
    /// Under some faults.
    answer<Net> operator()(std::span<const fault::inference_fault> faults) {
        list_.policy.clear();
        for (const auto& f : faults) list_.policy.add(f);
        list_.policy.sort();
        return infer<Net, fault::bit_flips>(weights_, memory_, image_, *space_, list_.policy);
    }

private:
    const parameters<Net>& weights_;
    std::vector<float> image_ = drawn_images<Net>(1, 3)[0];
    std::unique_ptr<workspace<Net>> space_ = std::make_unique<workspace<Net>>();
    state<Net> memory_;
    fault_list list_{4};
};

/// The accumulator of one output, struck after its `tap`-th multiply-add.
inline fault::inference_fault accumulator_fault(int step, int output, int tap, int bit) {
    fault::inference_fault f = fault_at(step, static_cast<std::uint32_t>(output), 1u << bit, false);
    f.where.step = static_cast<std::uint32_t>(tap);
    return f;
}

/// body(fault, step) for every bit of every accumulator after every multiply-add, in an order that the replicas of a layer share.
template <class Net, class Body>
void for_each_accumulator_bit(Body&& body) {
    for (int i = 0; i < Net::table.step_count; ++i) {
        const step& s = Net::table.steps[static_cast<std::size_t>(i)];
        if (s.kind != op::convolution) continue;
        const shape& out = s.geometry.out;
        for (int output = 0; output < out.size(); ++output)
            for (int tap = 0; tap < s.geometry.taps_at(output / out.channels / out.width, output / out.channels % out.width); ++tap)
                for (int bit = 0; bit < 32; ++bit) body(accumulator_fault(i, output, tap, bit), s);
    }
}
/// body(fault, step) for every bit of every word that a convolution or linear layer stores.
template <class Net, class Body>
void for_each_stored_bit(Body&& body) {
    using N = typename Net::number_type;
    for (int i = 0; i < Net::table.step_count; ++i) {
        const step& s = Net::table.steps[static_cast<std::size_t>(i)];
        if (s.kind != op::convolution) continue;
        const int bits = s.stores_logits ? bits_in<typename N::logit> : bits_in<typename N::activation>;
        for (int output = 0; output < s.geometry.out.size(); ++output)
            for (int bit = 0; bit < bits; ++bit) body(fault_at(i, static_cast<std::uint32_t>(output), 1u << bit, true), s);
    }
}

/// Flips every bit of some bytes and calls body() each time.
template <class Body>
void for_each_bit_of(std::span<std::byte> bytes, Body&& body) {
    for (std::byte& b : bytes)
        for (unsigned bit = 0; bit < 8; ++bit) {
            b ^= static_cast<std::byte>(1u << bit);
            body();
            b ^= static_cast<std::byte>(1u << bit);
        }
}

}  // namespace support
