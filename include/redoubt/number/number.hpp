// SPDX-License-Identifier: MIT
// What a network is bound to: the stored words of its weights and activations, and the arithmetic between them.
#pragma once

#include <redoubt/number/bfloat16.hpp>
#include <redoubt/number/fixed.hpp>
#include <redoubt/number/float16.hpp>

#include <concepts>
#include <cstdint>
#include <string_view>

namespace redoubt::inline v1 {

/// binary32 throughout.
struct float32 {
    using weight = float;         ///< a weight as it lies in the parameters
    using kernel_weight = float;  ///< a weight as kernels read it
    using bias = float;
    using activation = float;
    using accumulator = float;
    using logit = float;          ///< what the last layer stores
    static constexpr std::string_view name = "fp32";
    static constexpr bool is_integer = false;
};

/// binary16 storage of weights and activations, binary32 arithmetic, one rounding at each store.
struct float16 {
    using weight = half;
    using kernel_weight = half;
    using bias = half;
    using activation = half;
    using accumulator = float;
    using logit = half;
    static constexpr std::string_view name = "fp16";
    static constexpr bool is_integer = false;
};

/// Brain-float storage of weights and activations, binary32 arithmetic, one rounding at each store: binary32's range
/// with 8 bits of precision.
struct bfloat16 {
    using weight = brain;
    using kernel_weight = brain;
    using bias = brain;
    using activation = brain;
    using accumulator = float;
    using logit = brain;
    static constexpr std::string_view name = "bf16";
    static constexpr bool is_integer = false;
};

/// Eight-bit integers with one power-of-two scale a tensor, frozen at calibration; weights symmetric, activations
/// stored unsigned with offset 128; accumulators of 32 bits that wrap. No floating point between input and logits.
struct int8 {
    using weight = std::int8_t;
    using kernel_weight = std::int8_t;
    using bias = std::int32_t;
    using activation = std::uint8_t;
    using accumulator = std::int32_t;
    using logit = std::int32_t;
    static constexpr std::string_view name = "int8";
    static constexpr bool is_integer = true;
};

namespace detail {
template <class Word> struct stored_name;
template <> struct stored_name<fixed<2, 5>> { static constexpr std::string_view value = "q2.5"; };
template <> struct stored_name<fixed<1, 6>> { static constexpr std::string_view value = "q1.6"; };
template <> struct stored_name<fixed<3, 4>> { static constexpr std::string_view value = "q3.4"; };
template <> struct stored_name<half> { static constexpr std::string_view value = "fp32w16"; };
template <> struct stored_name<brain> { static constexpr std::string_view value = "fp32wb16"; };
}  // namespace detail

/// The arithmetic and activations of Number, with weights kept as Word and decoded block by block as they are read.
template <class Number, class Word>
struct stored : Number {
    using weight = Word;
    static constexpr std::string_view name = detail::stored_name<Word>::value;
};

/// The protocol above.
template <class N>
concept number = requires {
    typename N::weight;
    typename N::kernel_weight;
    typename N::bias;
    typename N::activation;
    typename N::accumulator;
    typename N::logit;
    { N::name } -> std::convertible_to<std::string_view>;
    { N::is_integer } -> std::convertible_to<bool>;
};

/// Speed before the canonical arithmetic: wide 3x3 convolutions may take fewer multiplications that round otherwise
/// (kernel/winograd_plan.hpp). Answers differ from Number's by some 1e-5 of the largest logit, and there are no faults in
/// its registers or weights; no campaign uses it.
template <number Number>
    requires std::same_as<Number, float32>
struct fast : Number {
    static constexpr bool gives_up_canonical_order = true;
};
template <number N>
inline constexpr bool is_fast = requires { N::gives_up_canonical_order; };

/// True where kernels cannot read the stored weights as they lie.
template <number N>
inline constexpr bool decodes_weights = !std::same_as<typename N::weight, typename N::kernel_weight>;

/// Value of a stored word in the accumulator's type; int8 activations lose their offset.
constexpr float widened(float v) { return v; }
constexpr float widened(half v) { return static_cast<float>(v); }
constexpr float widened(brain v) { return static_cast<float>(v); }
constexpr std::int32_t widened(std::int8_t v) { return v; }
constexpr std::int32_t widened(std::int32_t v) { return v; }
constexpr std::int32_t widened(std::uint8_t v) { return v - 128; }

}  // namespace redoubt::inline v1
