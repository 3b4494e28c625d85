// SPDX-License-Identifier: MIT
#include <redoubt/base/philox.hpp>
#include <redoubt/kernel/softmax.hpp>

#include "support/catch.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

using namespace redoubt;
using kernel::softmax;

namespace {

constexpr float infinity = std::numeric_limits<float>::infinity();

template <class Logit>
std::vector<float> of(const std::vector<Logit>& logits, int frac = 0) {
    std::vector<float> out(logits.size(), -1.0f);
    softmax(logits.data(), out.data(), logits.size(), frac);
    return out;
}

bool all_the_one_nan(const std::vector<float>& values) {
    return std::all_of(values.begin(), values.end(), [](float v) { return to_word(v) == 0x7fc00000u; });
}

}  // namespace

TEST_CASE("softmax is within a few ulp of its definition", "[kernel][softmax]") {
    random_stream random{51, {}};
    for (int draw = 0; draw < 200; ++draw) {
        std::vector<float> logits(1 + random.below(100));
        for (float& v : logits) v = static_cast<float>((random.unit() - 0.5) * (draw % 2 == 0 ? 10.0 : 150.0));
        const auto out = of(logits);
        long double sum = 0.0L, total = 0.0L;
        const float largest = *std::max_element(logits.begin(), logits.end());
        for (float v : logits) sum += std::exp(static_cast<long double>(v) - static_cast<long double>(largest));
        for (std::size_t i = 0; i < out.size(); ++i) {
            const long double exact =
                std::exp(static_cast<long double>(logits[i]) - static_cast<long double>(largest)) / sum;
            // the difference of the logits is rounded, and the sum has one rounding a term
            const long double tolerance = exact * (80.0L + static_cast<long double>(out.size())) * 0x1p-24L + 0x1p-148L;
            CHECK(std::fabs(static_cast<long double>(out[i]) - exact) <= tolerance);
            total += static_cast<long double>(out[i]);
        }
        CHECK(std::fabs(total - 1.0L) < 1e-5L);
    }
}

TEST_CASE("equal logits share equally, and order follows the logits", "[kernel][softmax]") {
    for (float v : of(std::vector<float>(8, -3.0f))) CHECK(v == 0.125f);
    CHECK(of(std::vector<float>{42.0f}).front() == 1.0f);
    const auto out = of(std::vector<float>{1.0f, 3.0f, 2.0f, -1000.0f, 3.0f});
    CHECK(out[1] > out[2]);
    CHECK(out[2] > out[0]);
    CHECK(out[1] == out[4]);
    CHECK(to_word(out[3]) == 0);
}

TEST_CASE("-Inf gets nothing; NaN, +Inf or nothing finite give NaN throughout", "[kernel][softmax]") {
    const auto out = of(std::vector<float>{-infinity, 0.0f, 0.0f});
    CHECK(out == std::vector<float>{0.0f, 0.5f, 0.5f});
    for (std::uint32_t word : {0x7fc00000u, 0xffc00000u, 0x7f800001u})
        CHECK(all_the_one_nan(of(std::vector<float>{1.0f, from_word<float>(word), 2.0f})));
    CHECK(all_the_one_nan(of(std::vector<float>{1.0f, infinity, 2.0f})));
    CHECK(all_the_one_nan(of(std::vector<float>{-infinity, -infinity})));
    CHECK(all_the_one_nan(of(std::vector<half>{half{1.0f}, half::from_bits(0xfe01)})));
}

TEST_CASE("half and integer logits are taken at their values", "[kernel][softmax]") {
    const std::vector<float> values{1.5f, -2.0f, 0.25f, 3.0f};
    std::vector<half> halves;
    std::vector<std::int32_t> codes, fine;
    for (float v : values) {
        halves.push_back(half{v});
        codes.push_back(static_cast<std::int32_t>(v * 4.0f));
        fine.push_back(static_cast<std::int32_t>(v * 65536.0f));
    }
    const auto expected = of(values);
    CHECK(of(halves) == expected);
    CHECK(of(codes, 2) == expected);
    CHECK(of(fine, 16) == expected);
    CHECK(of(std::vector<std::int32_t>{3, 1}, -1) == of(std::vector<float>{6.0f, 2.0f}));
}
