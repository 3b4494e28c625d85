// SPDX-License-Identifier: MIT
// Sixteen accumulators of an int8 dot product in an array.
#pragma once

#include <redoubt/kernel/call.hpp>
#include <redoubt/kernel/rounding_shift.hpp>

#if REDOUBT_LEVEL_NUMBER == 0
#include <cstring>

namespace redoubt::kernel::inline REDOUBT_ABI {

/// Arrays.
struct int_lanes {
    std::int32_t part[lane_count];
    struct weights { std::int8_t byte[4 * lane_count]; };

    static int_lanes load(const std::int32_t* p) {
        int_lanes v;
        std::memcpy(v.part, p, sizeof v.part);
        return v;
    }
    void store(std::int32_t* p) const { std::memcpy(p, part, sizeof part); }
    static weights load_weights(const std::int8_t* p) {
        weights w;
        std::memcpy(w.byte, p, sizeof w.byte);
        return w;
    }
    void add_products(std::int32_t quad, const weights& w) {
        std::uint8_t a[4];
        std::memcpy(a, &quad, 4);
        for (int i = 0; i < lane_count; ++i) {
            std::int32_t sum = 0;
            for (int j = 0; j < 4; ++j) sum += a[j] * w.byte[4 * i + j];
            part[i] = wrapped_sum(part[i], sum);
        }
    }
    /// Sixteen times four unsigned bytes; the first `count`, then zeros.
    struct quads { std::uint8_t byte[4 * lane_count]; };
    static quads load_quads(const std::uint8_t* p, int count = 4 * lane_count) {
        quads q{};
        std::memcpy(q.byte, p, static_cast<std::size_t>(count));
        return q;
    }
    /// Adds the four products of each lane's bytes with its weights.
    void add_products(const quads& in, const weights& w) {
        for (int i = 0; i < lane_count; ++i) {
            std::int32_t sum = 0;
            for (int j = 4 * i; j < 4 * i + 4; ++j) sum += in.byte[j] * w.byte[j];
            part[i] = wrapped_sum(part[i], sum);
        }
    }
    /// Bytes as they are stored, one a lane; the first `count`, then zeros.
    template <class Byte>
    static int_lanes widen(const Byte* p, int count = lane_count) {
        int_lanes v{};
        for (int i = 0; i < count; ++i) v.part[i] = p[i];
        return v;
    }
    static int_lanes filled(std::int32_t value) {
        int_lanes v;
        for (std::int32_t& lane : v.part) lane = value;
        return v;
    }
    /// this + a * w, lane by lane; a is a widened unsigned byte.
    void add_product(const int_lanes& a, const int_lanes& w) {
        for (int i = 0; i < lane_count; ++i) part[i] = wrapped_sum(part[i], a.part[i] * w.part[i]);
    }
    static int_lanes load_codes(const std::uint8_t* p, int count) {
        int_lanes v{};
        for (int i = 0; i < count; ++i) v.part[i] = widened(p[i]);
        return v;
    }
    void store(std::int32_t* p, int count) const { std::memcpy(p, part, static_cast<std::size_t>(count) * sizeof *p); }
    void store_codes(std::uint8_t* p) const { store_codes(p, lane_count); }
    void store_codes(std::uint8_t* p, int count) const {
        for (int i = 0; i < count; ++i) p[i] = static_cast<std::uint8_t>(part[i] + 128);
    }
    void add(const int_lanes& other) {
        for (int i = 0; i < lane_count; ++i) part[i] = wrapped_sum(part[i], other.part[i]);
    }
    void shift_left(int n) {
        for (std::int32_t& v : part) v = static_cast<std::int32_t>(static_cast<std::uint32_t>(v) << n);
    }
    void shift_right(const rounding_shift& by) {
        for (std::int32_t& v : part) v = shift_right_round(v, by.count);
    }
    void shift_right_cut(const rounding_shift& by) { shift_right(by); }
    void clamp(std::int32_t low, std::int32_t high) {
        for (std::int32_t& v : part) v = std::clamp(v, low, high);
    }

private:
    static std::int32_t wrapped_sum(std::int32_t a, std::int32_t b) {
        return static_cast<std::int32_t>(static_cast<std::uint32_t>(a) + static_cast<std::uint32_t>(b));
    }
};

}  // namespace redoubt::kernel::inline REDOUBT_ABI

#endif
