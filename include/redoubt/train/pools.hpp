// SPDX-License-Identifier: MIT
// Steps that have one input and no parameters, of one image, forward and backward: pools and the shortcut without weights.
#pragma once

#include <redoubt/kernel/pool_gradient.hpp>
#include <redoubt/nn/table.hpp>

namespace redoubt::train::inline REDOUBT_ABI {

/// What the step makes of its input; of other kinds nothing.
inline void pool(const step& s, const float* in, float* out) {
    if (s.kind == op::max_pool) kernel::max_pool(s.geometry, in, out);
    if (s.kind == op::average_pool) kernel::average_pool(s.geometry, in, out, s.counted);
    if (s.kind == op::global_average) kernel::global_average(s.geometry, in, out);
    if (s.kind == op::subsample) kernel::subsample(s.geometry, in, out);
}

/// Adds to `to` the gradient to the input, of that to the output.
inline void pool_gradient(const step& s, const float* in, const float* out, const float* gradient, float* to) {
    if (s.kind == op::max_pool) kernel::max_pool_gradient(s.geometry, in, out, gradient, to);
    if (s.kind == op::average_pool) kernel::average_pool_gradient(s.geometry, gradient, to, s.counted);
    if (s.kind == op::global_average)
        kernel::average_pool_gradient({.in = s.geometry.in, .out = s.geometry.out, .kernel = {s.geometry.in.height, s.geometry.in.width}}, gradient, to);
    if (s.kind == op::subsample) kernel::subsample_gradient(s.geometry, gradient, to);
}

}  // namespace redoubt::train::inline REDOUBT_ABI
