// SPDX-License-Identifier: MIT
// Any network of ours as one chain of oneDNN primitives, made by walking its table: every primitive has weights of its
// own, packed ahead in the format it chooses; residual adds and activations are post-ops; between primitives stand only
// the reorders that their choices force; buffers are used again as soon as nobody needs them.
#pragma once

#include "support/blueprint.hpp"
#include "support/onednn.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <unordered_map>
#include <vector>

namespace bench::onednn {

using redoubt::op;
using redoubt::kernel::activation;

class chain {
public:
    chain(blueprint from, dnnl::algorithm algorithm) : net_{std::move(from)}, algorithm_{algorithm} {
        held_.resize(net_.values.size());
        for (std::size_t i = 0; i < net_.steps.size(); ++i) {
            add(net_.steps[i], static_cast<int>(i));
            release(static_cast<int>(i));
        }
        place();
        net_.layers.clear();
    }
    chain(const chain&) = delete;
    chain& operator=(const chain&) = delete;

    /// The pixels, in the order the network's input type says. They are part of every run.
    void set_image(std::span<const float> pixels) {
        std::copy(pixels.begin(), pixels.end(), static_cast<float*>(image_.get_data_handle()));
    }
    void run() {
        for (const auto& [primitive, operands] : primitives_) primitive.execute(context_.stream, operands);
        context_.stream.wait();
    }
    std::vector<float> outputs() {
        held& last = held_[static_cast<std::size_t>(net_.output)];
        const redoubt::shape& shape = net_.values[static_cast<std::size_t>(net_.output)].extents;
        std::vector<float> values(static_cast<std::size_t>(shape.size()));
        dnnl::memory plain{{dims_of(shape), words::f32, tag::nhwc}, context_.engine, values.data()};
        dnnl::reorder{last.memory, plain}.execute(context_.stream, last.memory, plain);
        context_.stream.wait();
        return values;
    }

private:
    using desc = dnnl::memory::desc;
    struct held {
        dnnl::memory memory;
        int buffer = -1;
    };
    struct call {
        dnnl::primitive primitive;
        std::unordered_map<int, dnnl::memory> operands;
    };
    struct buffer {
        std::size_t bytes = 0;
        bool busy = false;
        std::vector<std::byte> storage{};
    };

    context context_;
    blueprint net_;
    dnnl::algorithm algorithm_;
    dnnl::memory image_;
    std::vector<held> held_;
    std::vector<call> primitives_;
    std::vector<buffer> buffers_;
    std::vector<held> placed_;   ///< every memory that lives in a buffer
    std::vector<int> temporary_; ///< buffers of the current step's reorders

    static dnnl::memory::dims dims_of(const redoubt::shape& s) { return {1, s.channels, s.height, s.width}; }
    static float power(int exponent) { return std::ldexp(1.0f, exponent); }
    int frac_of(int v) const { return net_.integer ? net_.fracs[static_cast<std::size_t>(v)] : 0; }
    held& of(int v) { return held_[static_cast<std::size_t>(v)]; }
    words words_of(int v) { return static_cast<words>(of(v).memory.get_desc().data.data_type); }
    desc any(int v) { return {dims_of(net_.values[static_cast<std::size_t>(v)].extents), words_of(v), tag::any}; }
    int last_use(int v) const {
        int last = v == net_.output ? static_cast<int>(net_.steps.size()) : -1;
        for (std::size_t i = 0; i < net_.steps.size(); ++i)
            if (net_.steps[i].in == v || net_.steps[i].residual == v) last = std::max(last, static_cast<int>(i));
        return last;
    }

    // ---- buffers
    int free_buffer(std::size_t bytes) {
        int best = -1;  // the smallest that fits, or else the largest
        for (std::size_t i = 0; i < buffers_.size(); ++i) {
            if (buffers_[i].busy) continue;
            const auto fits = [&](std::size_t b) { return b >= bytes; };
            if (best < 0) { best = static_cast<int>(i); continue; }
            const std::size_t old = buffers_[static_cast<std::size_t>(best)].bytes, here = buffers_[i].bytes;
            if (fits(here) ? !fits(old) || here < old : !fits(old) && here > old) best = static_cast<int>(i);
        }
        if (best < 0) {
            best = static_cast<int>(buffers_.size());
            buffers_.emplace_back();
        }
        buffer& b = buffers_[static_cast<std::size_t>(best)];
        b.bytes = std::max(b.bytes, bytes);
        b.busy = true;
        return best;
    }
    held in_buffer(const desc& layout, int number) {
        held h{dnnl::memory{layout, context_.engine, DNNL_MEMORY_NONE}, number};
        placed_.push_back(h);
        return h;
    }
    held fresh(const desc& layout) { return in_buffer(layout, free_buffer(layout.get_size())); }
    void release(int step) {
        for (int b : temporary_) buffers_[static_cast<std::size_t>(b)].busy = false;
        temporary_.clear();
        for (std::size_t v = 0; v < held_.size(); ++v)
            if (held_[v].buffer >= 0 && last_use(static_cast<int>(v)) <= step) {
                buffers_[static_cast<std::size_t>(held_[v].buffer)].busy = false;
                held_[v].buffer = -1;
            }
    }
    void place() {
        for (buffer& b : buffers_) b.storage.resize(b.bytes + 64);
        for (held& h : placed_) {
            auto& storage = buffers_[static_cast<std::size_t>(h.buffer)].storage;
            const auto address = reinterpret_cast<std::uintptr_t>(storage.data());
            h.memory.set_data_handle(storage.data() + (64 - address % 64) % 64);
        }
    }

    // ---- primitives
    void reorder(const dnnl::memory& from, const dnnl::memory& to, float scale = 1.0f) {
        dnnl::primitive_attr attributes;
        if (scale != 1.0f) attributes.set_output_scales(0, {scale});
        const dnnl::reorder::primitive_desc how{context_.engine, from.get_desc(), context_.engine, to.get_desc(), attributes};
        primitives_.push_back({dnnl::reorder{how}, {{DNNL_ARG_FROM, from}, {DNNL_ARG_TO, to}}});
    }
    /// A value in the layout that its reader chose.
    dnnl::memory value(int v, const desc& wanted) {
        const dnnl::memory& now = of(v).memory;
        if (now.get_desc() == wanted) return now;
        const held there = fresh(wanted);
        temporary_.push_back(there.buffer);
        reorder(now, there.memory);
        return there.memory;
    }
    /// Constants, packed now.
    template <class T>
    dnnl::memory packed(std::vector<T>& values, const desc& plain, const desc& wanted) {
        dnnl::memory from{plain, context_.engine, values.data()}, to{wanted, context_.engine};
        dnnl::reorder{from, to}.execute(context_.stream, from, to);
        context_.stream.wait();
        return to;
    }
    dnnl::memory packed_floats(const std::vector<float>& values, const dnnl::memory::dims& dims, tag layout, const desc& wanted,
                               int frac) {
        if (!net_.integer) {
            auto copy = values;
            return packed(copy, {dims, words::f32, layout}, wanted);
        }
        const bool bias = dims.size() == 1;
        std::vector<std::int8_t> codes;
        std::vector<std::int32_t> wide;
        for (float v : values) {
            const float code = std::nearbyint(std::ldexp(v, frac));
            if (bias) wide.push_back(static_cast<std::int32_t>(code));
            else codes.push_back(static_cast<std::int8_t>(std::clamp(code, -128.0f, 127.0f)));
        }
        return bias ? packed(wide, {dims, words::s32, layout}, wanted) : packed(codes, {dims, words::s8, layout}, wanted);
    }
    void activate(dnnl::post_ops& after, const redoubt::step& s) const {
        const auto top = static_cast<float>(s.limit) * (net_.integer ? power(frac_of(s.out)) : 1.0f);
        if (s.act == activation::relu) after.append_eltwise(1.0f, dnnl::algorithm::eltwise_relu, 0.0f, 0.0f);
        else if (s.act == activation::clipped_relu) after.append_eltwise(1.0f, dnnl::algorithm::eltwise_clip, 0.0f, top);
        else if (s.act != activation::none) throw std::runtime_error{"no oneDNN activation for a step"};
    }
    /// Of a step's output: u8 where it cannot be negative.
    words result_words(const redoubt::step& s) const {
        if (!net_.integer || s.stores_logits) return words::f32;
        return s.act == activation::none ? words::s8 : words::u8;
    }

    void add(const redoubt::step& s, int index) {
        switch (s.kind) {
            case op::input: return input(s);
            case op::convolution: {
                const auto n = static_cast<std::size_t>(s.slot);
                return product(s, index, net_.layers[n], net_.slots[n].is_linear, result_words(s));
            }
            case op::max_pool: return pool(s, dnnl::algorithm::pooling_max);
            case op::global_average: return pool(s, dnnl::algorithm::pooling_avg_exclude_padding);
            case op::subsample: return subsample(s, index);
            default: throw std::runtime_error{"no oneDNN primitive for step " + std::to_string(index)};
        }
    }
    void input(const redoubt::step& s) {
        image_ = {{dims_of(s.geometry.out), words::f32, net_.planar ? tag::nchw : tag::nhwc}, context_.engine};
        of(s.out).memory = image_;
        if (!net_.integer) return;
        of(s.out) = fresh({dims_of(s.geometry.out), words::u8, tag::nhwc});
        reorder(image_, of(s.out).memory, power(frac_of(s.out)));
    }
    /// A pool of codes keeps their scale.
    void pool(const redoubt::step& s, dnnl::algorithm how_to) {
        redoubt::kernel::conv_geometry g = s.geometry;
        if (s.kind == op::global_average) g.kernel = {g.in.height, g.in.width};
        if (net_.integer) net_.fracs[static_cast<std::size_t>(s.out)] = frac_of(s.in);
        const desc in = of(s.in).memory.get_desc();
        const desc out{dims_of(g.out), words_of(s.in), tag::any};
        const dnnl::pooling_forward::desc what{dnnl::prop_kind::forward_inference, how_to, in, out, {g.stride.h, g.stride.w},
                                               {g.kernel.h, g.kernel.w}, {g.pad.h, g.pad.w}, pad_end(g)};
        const dnnl::pooling_forward::primitive_desc how{what, context_.engine};
        of(s.out) = fresh(how.dst_desc());
        primitives_.push_back({dnnl::pooling_forward{how}, {{DNNL_ARG_SRC, of(s.in).memory}, {DNNL_ARG_DST, of(s.out).memory}}});
    }
    /// A 1x1 convolution that picks channels: oneDNN has nothing nearer that works in its blocked layouts.
    void subsample(redoubt::step s, int index) {
        const int before = (s.geometry.out.channels - s.geometry.in.channels) / 2;
        blueprint::layer picks;
        picks.weights.assign(s.geometry.weights(), 0.0f);
        picks.biases.assign(static_cast<std::size_t>(s.geometry.out.channels), 0.0f);
        for (int c = 0; c < s.geometry.in.channels; ++c)
            picks.weights[static_cast<std::size_t>((before + c) * s.geometry.in.channels + c)] = 1.0f;
        if (net_.integer) net_.fracs[static_cast<std::size_t>(s.out)] = frac_of(s.in);
        product(s, index, picks, false, words_of(s.in));
    }
    static dnnl::memory::dims pad_end(const redoubt::kernel::conv_geometry& g) {
        const int rows = (g.out.height - 1) * g.stride.h + (g.kernel.h - 1) * g.dilation.h + 1 - g.in.height - g.pad.h;
        const int columns = (g.out.width - 1) * g.stride.w + (g.kernel.w - 1) * g.dilation.w + 1 - g.in.width - g.pad.w;
        return {std::max(0, rows), std::max(0, columns)};
    }

    /// A convolution or linear layer with what is fused to it.
    void product(const redoubt::step& s, int index, const blueprint::layer& layer, bool linear, words out_words) {
        const auto& g = s.geometry;
        const bool grouped = g.groups > 1;
        const dnnl::memory::dims channels{g.out.channels};
        const dnnl::memory::dims filter = grouped
            ? dnnl::memory::dims{g.groups, g.group_out(), g.group_in(), g.kernel.h, g.kernel.w}
            : dnnl::memory::dims{g.out.channels, g.in.channels, g.kernel.h, g.kernel.w};
        const desc weights{filter, net_.integer ? words::s8 : words::f32, tag::any};
        const desc bias{channels, net_.integer ? words::s32 : words::f32, tag::a};
        const int sum_frac = frac_of(s.in) + layer.frac;
        dnnl::primitive_attr attributes;
        dnnl::post_ops after;
        if (net_.integer) attributes.set_output_scales(0, {power((s.stores_logits ? 0 : frac_of(s.out)) - sum_frac)});
        if (s.residual >= 0) after.append_sum(power(frac_of(s.out) - frac_of(s.residual)), net_.integer ? words_of(s.residual) : words::f32);
        activate(after, s);
        attributes.set_post_ops(after);
        const auto finish = [&](const auto& how, const dnnl::primitive& primitive) {
            const tag plain = grouped ? tag::goihw : tag::oihw;
            std::unordered_map<int, dnnl::memory> operands{
                {DNNL_ARG_SRC, value(s.in, how.src_desc())},
                {DNNL_ARG_WEIGHTS, packed_floats(layer.weights, filter, plain, how.weights_desc(), layer.frac)},
                {DNNL_ARG_BIAS, packed_floats(layer.biases, channels, tag::a, how.bias_desc(), sum_frac)}};
            result(s, index, how.dst_desc());
            operands.insert({DNNL_ARG_DST, of(s.out).memory});
            primitives_.push_back({primitive, operands});
        };
        if (linear) {
            const desc out{{1, g.out.channels}, out_words, tag::any};
            const dnnl::inner_product_forward::desc what{dnnl::prop_kind::forward_inference, any(s.in), weights, bias, out};
            const dnnl::inner_product_forward::primitive_desc how{what, attributes, context_.engine};
            finish(how, dnnl::inner_product_forward{how});
            // the next reads it as an image of one pixel
            of(s.out).memory = in_buffer({dims_of(g.out), out_words, tag::nhwc}, of(s.out).buffer).memory;
            return;
        }
        const desc out{dims_of(g.out), out_words, tag::any};
        const dnnl::convolution_forward::desc what{dnnl::prop_kind::forward_inference, algorithm_, any(s.in), weights, bias, out,
                                                   {g.stride.h, g.stride.w}, {g.dilation.h - 1, g.dilation.w - 1},
                                                   {g.pad.h, g.pad.w}, pad_end(g)};
        const dnnl::convolution_forward::primitive_desc how{what, attributes, context_.engine};
        finish(how, dnnl::convolution_forward{how});
    }
    /// Room for an output. A sum is made in place of the residual where nobody needs it later.
    void result(const redoubt::step& s, int index, const desc& layout) {
        if (s.residual < 0) {
            of(s.out) = fresh(layout);
            return;
        }
        held& old = of(s.residual);
        desc as_old = layout;
        as_old.data.data_type = old.memory.get_desc().data.data_type;
        if (old.buffer >= 0 && last_use(s.residual) == index && old.memory.get_desc() == as_old) {
            of(s.out) = in_buffer(layout, old.buffer);
            old.buffer = -1;
            return;
        }
        of(s.out) = fresh(layout);
        reorder(old.memory, in_buffer(as_old, of(s.out).buffer).memory);
    }
};

}  // namespace bench::onednn
