// SPDX-License-Identifier: MIT
// Layers as descriptions: they carry shape, never data, number or policy.
#pragma once

#include <redoubt/base/pack.hpp>
#include <redoubt/kernel/geometry.hpp>

#include <cstddef>

namespace redoubt::inline v1 {

/// A network's input: channels, rows, columns. Elements arrive in [row][column][channel] order.
template <int Channels, int Height, int Width>
struct image {
    static constexpr shape extents{Channels, Height, Width};
    static constexpr bool planar = false;
};

/// The same, with elements arriving in [channel][row][column] order.
template <int Channels, int Height, int Width>
struct image_chw {
    static constexpr shape extents{Channels, Height, Width};
    static constexpr bool planar = true;
};

/// A convolution with `out` channels. Kernel, stride, padding and dilation are one number, or {vertical, horizontal}.
/// `pad` rows and columns of zeros stand on each side, or `pad_end` after the last one where that is given. Groups divide
/// both channel counts; as many groups as channels are a depthwise convolution.
struct conv_spec {
    int out = 0;
    hw kernel = 3;
    hw stride = 1;
    hw pad = 0;
    hw dilation = 1;
    int groups = 1;
    hw pad_end = {-1, -1};  ///< negative: as `pad`
};

/// Convolution with bias. A batch_norm that follows is folded into its parameters.
template <conv_spec Spec>
struct conv2d {
    static constexpr conv_spec spec = Spec;
};

/// Fully connected layer over everything that comes in, with bias.
template <int Out>
struct linear {
    static constexpr int out = Out;
};

/// Batch normalisation of the convolution or linear layer before it; has no step of its own at inference.
struct batch_norm {};

/// max(x, 0).
struct relu {};

/// min(max(x, 0), Limit), e.g. clipped_relu<6>.
template <int Limit>
struct clipped_relu {
    static constexpr int limit = Limit;
};

/// min(max(x, Low), High).
template <int Low, int High>
struct clip {
    static constexpr int low = Low, high = High;
};

/// x, and x times Numerator / Denominator below 0; PyTorch's slope unless another is given, and at most 1. Floats multiply
/// by the nearest float, int8 by the nearest fraction of 15 bits and a power of two.
template <int Numerator = 1, int Denominator = 100>
struct leaky_relu {
    static constexpr int numerator = Numerator, denominator = Denominator;
};

/// x * clip(x + 3, 0, 6) / 6 (MobileNetV3).
struct hard_swish {};

/// Largest of each window, windows that leave the padded image dropped. Kernel, stride and padding are one number, or
/// {vertical, horizontal}. `Pad` rows and columns stand on each side; they are never the largest, whatever the image holds.
template <hw Kernel, hw Stride = Kernel, hw Pad = hw{0}>
struct max_pool {
    static constexpr hw kernel = Kernel, stride = Stride, pad = Pad;
};

using kernel::count_padding;

/// Mean of each window, windows that leave the padded image dropped. Padding is zeros that count in the divisor, as in
/// PyTorch, or (count_padding::no) does not exist.
template <hw Kernel, hw Stride = Kernel, hw Pad = hw{0}, count_padding Counted = count_padding::yes>
struct avg_pool {
    static constexpr hw kernel = Kernel, stride = Stride, pad = Pad;
    static constexpr count_padding counted = Counted;
};

/// Mean of each channel.
struct global_avg_pool {};

/// Probabilities; the last layer if there at all.
struct softmax {};

/// Nothing: a linear layer takes any shape. It keeps layer numbers equal to PyTorch's.
struct flatten {};

/// Every Stride-th row and column, and Out channels of which the added ones, half before and half after, are zero: the
/// shortcut without weights ("option A") of He et al. 2016.
template <int Out, int Stride>
struct subsample {
    static constexpr int out = Out, stride = Stride;
};

/// Layers one after the other, as if they stood in the enclosing list.
template <class... Layers>
struct sequence {
    using layers = pack<Layers...>;
};

/// Layers whose parameters' names begin with Name and a dot; a single layer is called Name itself.
template <fixed_string Name, class... Layers>
struct named {
    using layers = pack<Layers...>;
    static constexpr auto name = Name;
};

/// What a residual adds instead of its input: its first element.
template <class... Layers>
struct shortcut {
    using layers = pack<Layers...>;
};

/// The layers' output plus their input (or plus the output of a leading shortcut<...>). The sum is fused into the last
/// convolution, and so is an activation that follows the residual.
template <class... Layers>
struct residual {
    using layers = pack<Layers...>;
};

/// One way through a concat. An empty one hands on what comes in.
template <class... Layers>
struct branch {
    using layers = pack<Layers...>;
};

/// Branches, bare or named<...>, that all start from what comes in; their outputs' channels one after the other. Heights
/// and widths must agree. int8 branches are brought to one scale, by shifts that round to nearest even.
template <class... Branches>
struct concat {
    using layers = pack<Branches...>;
};

/// What every protection inherits: it is a layer description around others. A derived template adds what it does:
///   `static constexpr int replicas, spares` and `vote`  - runs the layers several times (harden/replicate.hpp),
///   `using guard`                                       - checks each step's output (harden/range.hpp); with `guard::per_neuron` against a
///                                                         bound for each element,
///   `using keeps_bounds`                                - has the bounds of guards kept three times (harden/tmr_bounds.hpp),
///   `using store`                                       - keeps parameters redundantly (harden/stores.hpp); with `store::only_scrubbed` steps read them
///                                                         unchecked (harden/on_scrub.hpp),
///   `using rotates_lanes`                               - has replicas inside computed in other lanes (harden/diverse.hpp),
///   `using transform`                                   - changes weights as they are read (harden/clip.hpp),
///   `using checker`                                     - checks convolutions as kernels compute them (harden/abft.hpp); what it keeps with the
///                                                         parameters it says by `kept` and makes in `encode`; with `finishes` its `finish` sees
///                                                         each layer at its end.
/// With template arguments before its layers it also has `template <class... New> using around`, itself around others, so that rules reach inside.
template <class... Layers>
struct protection {
    static_assert(sizeof...(Layers) > 0, "redoubt: a protection needs at least one layer to protect");
    using layers = pack<Layers...>;
    using protects = void;
};

/// Bytes that a checker keeps with a layer's parameters, and which of them mean something: faults strike [first, last).
struct kept_place {
    std::size_t bytes = 0;
    std::size_t first = 0;
    std::size_t last = 0;
};

/// Anything around other layers.
template <class L>
concept containing = requires { typename L::layers; };
/// Anything derived from protection<...>.
template <class L>
concept protecting = containing<L> && requires { typename L::protects; };
/// A protection that runs its layers several times.
template <class L>
concept replicating = protecting<L> && requires { L::replicas; L::spares; };
/// A protection that checks outputs.
template <class L>
concept guarding = protecting<L> && requires { typename L::guard; };
/// One that holds each element of an output below a bound of its own.
template <class L>
concept guarding_neurons = guarding<L> && requires { L::guard::per_neuron; };
/// A protection that has the bounds of guards kept three times.
template <class L>
concept keeping_bounds = protecting<L> && requires { typename L::keeps_bounds; };
/// A protection that keeps parameters redundantly.
template <class L>
concept storing = protecting<L> && requires { typename L::store; };
/// A protection that has replicas computed in other lanes.
template <class L>
concept diversifying = protecting<L> && requires { typename L::rotates_lanes; };
/// A protection that changes weights as they are read.
template <class L>
concept transforming = protecting<L> && requires { typename L::transform; };

/// A transform whose stored words mean nothing to others: a code, or another scale.
template <class T>
inline constexpr bool recoding = requires { T::recodes; };
/// A protection that checks convolutions and linear layers before what is fused to them.
template <class L>
concept checking = protecting<L> && requires { typename L::checker; };

/// A protection, itself a checker, that has `duplicated` output channels of each layer computed `copies` times.
template <class L>
concept duplicating = checking<L> && requires { L::duplicated; L::copies; L::has_intervals; };

/// A layer of the user's own: `static constexpr shape output(shape in)`, and `run` as in docs/custom-layer.md.
template <class L>
concept custom_layer = requires(shape s) {
    { L::output(s) };
};

}  // namespace redoubt::inline v1
