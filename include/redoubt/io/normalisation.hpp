// SPDX-License-Identifier: MIT
// From pixels to network input: the mean and deviation a network was trained with.
#pragma once

#include <redoubt/base/contract.hpp>
#include <redoubt/base/result.hpp>
#include <redoubt/io/printable.hpp>

#include <charconv>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace redoubt::io::inline v1 {

/// Mean and deviation of pixels scaled to [0, 1]: one value per channel, or one for all.
struct normalisation {
    std::vector<float> mean{0.0f};
    std::vector<float> deviation{1.0f};

    bool operator==(const normalisation&) const = default;
};

}  // namespace redoubt::io::inline v1

namespace redoubt::io::inline REDOUBT_ABI {

namespace impl {

inline std::string_view trimmed(std::string_view text) {
    const auto is_space = [](char c) { return c == ' ' || c == '\t'; };
    while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
    while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
    return text;
}

/// "a,b,c" as numbers, read as double and rounded to float as Python code does.
inline result<std::vector<float>> number_list(std::string_view text) {
    std::vector<float> numbers;
    for (bool more = true; more;) {
        const std::size_t comma = text.find(',');
        const std::string_view item = trimmed(text.substr(0, comma));
        more = comma != std::string_view::npos;
        if (more) text.remove_prefix(comma + 1);
        double value = 0.0;
        const auto [end, code] = std::from_chars(item.data(), item.data() + item.size(), value);
        const bool whole = code == std::errc{} && end == item.data() + item.size();
        if (!whole || !std::isfinite(static_cast<float>(value))) return error{printable(item)} << " is not a number";
        numbers.push_back(static_cast<float>(value));
    }
    return numbers;
}

}  // namespace impl

/// Reads "mean/deviation", each one number or one per channel with commas: "0.2860/0.3530",
/// "0.485,0.456,0.406/0.229,0.224,0.225". Errors: another form, another count, a deviation that is not above 0.
inline result<normalisation> parse_normalisation(std::string_view text, int channels) {
    const auto fail = [&](std::string_view what) {
        return error{"normalisation "} << printable(text) << ": " << what;
    };
    const std::size_t slash = text.find('/');
    if (slash == std::string_view::npos || text.find('/', slash + 1) != std::string_view::npos)
        return fail("must be mean/deviation, for instance 0.2860/0.3530");
    result<std::vector<float>> mean = impl::number_list(text.substr(0, slash));
    if (!mean) return fail("mean ") << mean.reason().text();
    result<std::vector<float>> deviation = impl::number_list(text.substr(slash + 1));
    if (!deviation) return fail("deviation ") << deviation.reason().text();
    for (const std::size_t count : {mean->size(), deviation->size()})
        if (count != 1 && count != static_cast<std::size_t>(channels))
            return fail("has ") << count << " values for images of " << channels
                                << " channels; give one for all or one per channel";
    for (float value : *deviation)
        if (!(value > 0.0f)) return fail("every deviation must be above 0");
    return normalisation{std::move(*mean), std::move(*deviation)};
}

/// out = (pixel / 255 - mean) / deviation, channels fastest, each operation rounded to binary32 in that order: the bits
/// that NumPy and PyTorch give. `out` has as many elements as `pixels`.
inline void normalise(std::span<const std::uint8_t> pixels, int channels, const normalisation& by,
                      std::span<float> out) {
    const std::size_t count = static_cast<std::size_t>(channels);
    REDOUBT_EXPECTS(channels > 0 && pixels.size() % count == 0 && out.size() == pixels.size());
    REDOUBT_EXPECTS(by.mean.size() == 1 || by.mean.size() == count);
    REDOUBT_EXPECTS(by.deviation.size() == 1 || by.deviation.size() == count);
    for (std::size_t c = 0; c < count; ++c) {
        const float mean = by.mean[by.mean.size() == 1 ? 0 : c];
        const float deviation = by.deviation[by.deviation.size() == 1 ? 0 : c];
        for (std::size_t i = c; i < pixels.size(); i += count) {
            const float scaled = static_cast<float>(pixels[i]) / 255.0f;
            const float centred = scaled - mean;
            out[i] = centred / deviation;
        }
    }
}

}  // namespace redoubt::io::inline REDOUBT_ABI
