// SPDX-License-Identifier: MIT
// Calibration: what the outputs of each unit looked like on training images, without faults.
#pragma once

#include <redoubt/nn/run.hpp>

namespace redoubt::inline v1 {

/// Smallest and largest output of each unit: values of a float network, codes of an int8 one.
template <network_type Net>
struct calibration {
    struct unit {
        double low = 0.0;  // holds every float and every 32-bit code exactly
        double high = 0.0;
        bool seen = false;
        constexpr double magnitude() const { return -low > high ? -low : high; }
    };
    std::array<unit, static_cast<std::size_t>(Net::table.unit_count)> units{};
    std::uint64_t images = 0;

    /// Adds what another calibration saw; the order does not matter.
    constexpr void merge(const calibration& other) {
        for (std::size_t u = 0; u < units.size(); ++u) {
            const unit& o = other.units[u];
            if (!o.seen) continue;
            unit& mine = units[u];
            mine.low = mine.seen && mine.low < o.low ? mine.low : o.low;
            mine.high = mine.seen && mine.high > o.high ? mine.high : o.high;
            mine.seen = true;
        }
        images += other.images;
    }
};

}  // namespace redoubt::inline v1

namespace redoubt::inline REDOUBT_ABI {

/// A policy that only looks.
template <network_type Net>
struct observer {
    static constexpr bool active = true;
    calibration<Net>& seen;

    kernel::no_hook hook(site_path) const { return {}; }
    template <site S, class Word>
    void touch(std::span<Word> words, site_path at) {
        if constexpr (S != site::input && S != site::stored_activation) return;
        auto& unit = seen.units[static_cast<std::size_t>(at.unit)];
        for (const Word& w : words) {
            const auto wide = widened(w);
            if (!(wide == wide)) continue;
            const double v = static_cast<double>(wide);
            unit.low = unit.seen && unit.low < v ? unit.low : v;
            unit.high = unit.seen && unit.high > v ? unit.high : v;
            unit.seen = true;
        }
    }
};

/// Adds one training image to a calibration. Never test images: bounds and scales are part of what was learned.
template <network_type Net>
void observe(const parameters<Net>& weights, std::span<const float> image, workspace<Net>& space,
             calibration<Net>& seen) {
    observer<Net> policy{seen};
    status<Net> report;
    run<Net>(weights, image, space, report, policy, 0, Net::table.step_count);
    ++seen.images;
}

}  // namespace redoubt::inline REDOUBT_ABI
