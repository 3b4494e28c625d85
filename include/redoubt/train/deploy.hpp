// SPDX-License-Identifier: MIT
// From training to inference.
#pragma once

#include <redoubt/harden/norm_apart.hpp>
#include <redoubt/train/convert_and_store.hpp>
#include <redoubt/train/trainer.hpp>

#include <algorithm>
#include <limits>
#include <memory>

namespace redoubt::train::inline REDOUBT_ABI {

/// Parameters of the trained layers with norms folded, or apart where layers keep them, in any float number and under any protection: copies, codes and stored forms of transformed
/// weights included; bounds are those of all numbers until set_bounds() and set_intervals(). int8 needs calibration: deploy a float network without functions of weights,
/// then convert().
template <network_type To, network_type Net>
std::unique_ptr<redoubt::parameters<To>> deploy(const trainer<Net>& from) {
    static_assert(!To::number_type::is_integer, "redoubt: deploy a float network, observe training images, then convert() to integers");
    using folded = with_number<without_protection<To>, float32>;
    using base = std::conditional_t<redoubt::detail::any_gains<To>, with_norms_apart<folded>, folded>;
    static_assert(base::table.slot_count == Net::table.slot_count, "redoubt: both networks must have the same layers");
    auto plain = std::make_unique<redoubt::parameters<base>>();
    const result<void> loaded = io::load<base>(from.tensors(), "the trained parameters", *plain);
    REDOUBT_EXPECTS(static_cast<bool>(loaded));
    if constexpr (std::same_as<base, To>) {
        return plain;
    } else {
        auto to = std::make_unique<redoubt::parameters<To>>();
        convert_and_store<base, To>(*plain, calibration<base>{}, *to);
        for (int s = 0; s < To::table.slot_count; ++s)
            if (To::table.slots[static_cast<std::size_t>(s)].has_intervals) {
                const float infinity = std::numeric_limits<float>::infinity();
                std::ranges::fill(to->interval_low(s), -infinity);
                std::ranges::fill(to->interval_high(s), infinity);
            }
        encode<To>(*to);
        return to;
    }
}

}  // namespace redoubt::train::inline REDOUBT_ABI
