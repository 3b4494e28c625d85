// SPDX-License-Identifier: MIT
// oneDNN on one thread: what its cases share.
#pragma once

#include <redoubt/base/philox.hpp>

#include <oneapi/dnnl/dnnl.hpp>
#include <omp.h>

#include <cstddef>

namespace bench::onednn {

using tag = dnnl::memory::format_tag;
using words = dnnl::memory::data_type;

/// The engine and stream that every primitive of a case uses, on the calling thread alone.
struct context {
    dnnl::engine engine{dnnl::engine::kind::cpu, 0};
    dnnl::stream stream{engine};

    context() { omp_set_num_threads(1); }
};

/// A bias and a ReLU fused.
inline dnnl::primitive_attr with_relu() {
    dnnl::post_ops relu;
    relu.append_eltwise(1.0f, dnnl::algorithm::eltwise_relu, 0.0f, 0.0f);
    dnnl::primitive_attr attributes;
    attributes.set_post_ops(relu);
    return attributes;
}

/// A memory of that layout, filled with small floats.
inline dnnl::memory filled(const dnnl::memory::desc& layout, const dnnl::engine& engine) {
    dnnl::memory memory{layout, engine};
    auto* values = static_cast<float*>(memory.get_data_handle());
    redoubt::random_stream random{1, {}};
    for (std::size_t i = 0; i < layout.get_size() / sizeof(float); ++i)
        values[i] = static_cast<float>(random.unit() - 0.5);
    return memory;
}

}  // namespace bench::onednn
