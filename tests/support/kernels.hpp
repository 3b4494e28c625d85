// SPDX-License-Identifier: MIT
// The convolution kernels of the four numbers are compiled once for all test programs (kernels.cpp.in): with a
// sanitizer one of them takes a minute.
#pragma once

#include <redoubt/kernel/conv2d.hpp>

namespace redoubt::kernel::inline REDOUBT_ABI {

extern template void dense_conv2d<float32, no_hook>(const conv_call<float32>&, const no_hook&);
extern template void depthwise_conv2d<float32, no_hook>(const conv_call<float32>&, const no_hook&);
extern template void dense_conv2d<float32, fault_hook>(const conv_call<float32>&, const fault_hook&);
extern template void depthwise_conv2d<float32, fault_hook>(const conv_call<float32>&, const fault_hook&);
extern template void dense_conv2d<float16, no_hook>(const conv_call<float16>&, const no_hook&);
extern template void depthwise_conv2d<float16, no_hook>(const conv_call<float16>&, const no_hook&);
extern template void dense_conv2d<float16, fault_hook>(const conv_call<float16>&, const fault_hook&);
extern template void depthwise_conv2d<float16, fault_hook>(const conv_call<float16>&, const fault_hook&);
extern template void dense_conv2d<bfloat16, no_hook>(const conv_call<bfloat16>&, const no_hook&);
extern template void depthwise_conv2d<bfloat16, no_hook>(const conv_call<bfloat16>&, const no_hook&);
extern template void dense_conv2d<bfloat16, fault_hook>(const conv_call<bfloat16>&, const fault_hook&);
extern template void depthwise_conv2d<bfloat16, fault_hook>(const conv_call<bfloat16>&, const fault_hook&);
extern template void dense_conv2d<int8, no_hook>(const conv_call<int8>&, const no_hook&);
extern template void depthwise_conv2d<int8, no_hook>(const conv_call<int8>&, const no_hook&);
extern template void dense_conv2d<int8, fault_hook>(const conv_call<int8>&, const fault_hook&);
extern template void depthwise_conv2d<int8, fault_hook>(const conv_call<int8>&, const fault_hook&);

}  // namespace redoubt::kernel::inline REDOUBT_ABI
