// SPDX-License-Identifier: MIT
// The convolution kernels of the four numbers are compiled once for all test programs (kernels.cpp.in): with a
// sanitizer one of them takes a minute.
#pragma once

#include <redoubt/kernel/conv2d.hpp>

namespace redoubt::kernel::inline REDOUBT_ABI {

using sums_of_floats = summing_hook<no_hook, float>;
using struck_sums_of_floats = summing_hook<fault_hook, float>;
using sums_of_integers = summing_hook<no_hook, std::int32_t>;
using struck_sums_of_integers = summing_hook<fault_hook, std::int32_t>;

extern template void dense_conv2d<float32, no_hook>(const conv_call<float32>&, const no_hook&);
extern template void depthwise_conv2d<float32, no_hook>(const conv_call<float32>&, const no_hook&);
extern template void dense_conv2d<float32, fault_hook>(const conv_call<float32>&, const fault_hook&);
extern template void depthwise_conv2d<float32, fault_hook>(const conv_call<float32>&, const fault_hook&);
extern template void dense_conv2d<float32, sums_of_floats>(const conv_call<float32>&, const sums_of_floats&);
extern template void depthwise_conv2d<float32, sums_of_floats>(const conv_call<float32>&, const sums_of_floats&);
extern template void dense_conv2d<float32, struck_sums_of_floats>(const conv_call<float32>&, const struck_sums_of_floats&);
extern template void depthwise_conv2d<float32, struck_sums_of_floats>(const conv_call<float32>&, const struck_sums_of_floats&);
extern template void dense_conv2d<float16, no_hook>(const conv_call<float16>&, const no_hook&);
extern template void depthwise_conv2d<float16, no_hook>(const conv_call<float16>&, const no_hook&);
extern template void dense_conv2d<float16, fault_hook>(const conv_call<float16>&, const fault_hook&);
extern template void depthwise_conv2d<float16, fault_hook>(const conv_call<float16>&, const fault_hook&);
extern template void dense_conv2d<float16, sums_of_floats>(const conv_call<float16>&, const sums_of_floats&);
extern template void depthwise_conv2d<float16, sums_of_floats>(const conv_call<float16>&, const sums_of_floats&);
extern template void dense_conv2d<float16, struck_sums_of_floats>(const conv_call<float16>&, const struck_sums_of_floats&);
extern template void depthwise_conv2d<float16, struck_sums_of_floats>(const conv_call<float16>&, const struck_sums_of_floats&);
extern template void dense_conv2d<bfloat16, no_hook>(const conv_call<bfloat16>&, const no_hook&);
extern template void depthwise_conv2d<bfloat16, no_hook>(const conv_call<bfloat16>&, const no_hook&);
extern template void dense_conv2d<bfloat16, fault_hook>(const conv_call<bfloat16>&, const fault_hook&);
extern template void depthwise_conv2d<bfloat16, fault_hook>(const conv_call<bfloat16>&, const fault_hook&);
extern template void dense_conv2d<bfloat16, sums_of_floats>(const conv_call<bfloat16>&, const sums_of_floats&);
extern template void depthwise_conv2d<bfloat16, sums_of_floats>(const conv_call<bfloat16>&, const sums_of_floats&);
extern template void dense_conv2d<bfloat16, struck_sums_of_floats>(const conv_call<bfloat16>&, const struck_sums_of_floats&);
extern template void depthwise_conv2d<bfloat16, struck_sums_of_floats>(const conv_call<bfloat16>&, const struck_sums_of_floats&);
extern template void dense_conv2d<int8, no_hook>(const conv_call<int8>&, const no_hook&);
extern template void depthwise_conv2d<int8, no_hook>(const conv_call<int8>&, const no_hook&);
extern template void dense_conv2d<int8, fault_hook>(const conv_call<int8>&, const fault_hook&);
extern template void depthwise_conv2d<int8, fault_hook>(const conv_call<int8>&, const fault_hook&);
extern template void dense_conv2d<int8, sums_of_integers>(const conv_call<int8>&, const sums_of_integers&);
extern template void depthwise_conv2d<int8, sums_of_integers>(const conv_call<int8>&, const sums_of_integers&);
extern template void dense_conv2d<int8, struck_sums_of_integers>(const conv_call<int8>&, const struck_sums_of_integers&);
extern template void depthwise_conv2d<int8, struck_sums_of_integers>(const conv_call<int8>&, const struck_sums_of_integers&);

}  // namespace redoubt::kernel::inline REDOUBT_ABI
