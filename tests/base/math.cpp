// SPDX-License-Identifier: MIT
#include <redoubt/base/bits.hpp>
#include <redoubt/base/math.hpp>
#include <redoubt/base/philox.hpp>

#include "support/catch.hpp"
#include "support/math_bits.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>

using namespace redoubt;

namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr float infinity_f = std::numeric_limits<float>::infinity();
constexpr std::uint64_t nan_word = 0x7ff8000000000000u;
constexpr std::uint32_t nan_word_f = 0x7fc00000u;

/// How far `value` is from `exact`, in units of the last place of a T of that size.
template <class T>
double ulps(T value, long double exact) {
    int exponent = 0;
    std::frexp(exact, &exponent);
    exponent = std::max(exponent, std::numeric_limits<T>::min_exponent);
    const long double ulp = std::ldexp(1.0L, exponent - std::numeric_limits<T>::digits);
    return static_cast<double>(std::fabs(static_cast<long double>(value) - exact) / ulp);
}

}  // namespace

TEST_CASE("natural_log at its special arguments", "[base][math]") {
    CHECK(natural_log(0.0) == -infinity);
    CHECK(natural_log(-0.0) == -infinity);
    CHECK(natural_log(infinity) == infinity);
    CHECK(to_word(natural_log(1.0)) == 0);
    for (double x : {-1.0, -infinity, -0x1p-1074, std::numeric_limits<double>::quiet_NaN(),
                     -std::numeric_limits<double>::quiet_NaN(), from_word<double>(0x7ff0000000000001u),
                     from_word<double>(0xffffffffffffffffu)}) {
        CHECK(to_word(natural_log(x)) == nan_word);
    }
}

TEST_CASE("natural_log is within 0.6 ulp of libm's long double", "[base][math]") {
    random_stream random{3, {}};
    double worst = 0.0;
    for (int i = 0; i < 200000; ++i) {
        const double unit = random.unit();
        const double any = from_word<double>(random() & 0x7fffffffffffffffu);
        const double near_one = 1.0 + std::ldexp(unit - 0.5, -static_cast<int>(random.below(45)));
        const double denormal = from_word<double>(random() >> 12 >> random.below(50));
        for (double x : {unit, unit + 0.5, any, near_one, denormal}) {
            if (!(x > 0.0 && x < infinity)) continue;
            if (x == 1.0) continue;
            worst = std::max(worst, ulps(natural_log(x), std::log(static_cast<long double>(x))));
        }
    }
    CHECK(worst < 0.6);
}

TEST_CASE("exponential of double at its special arguments", "[base][math]") {
    CHECK(exponential(0.0) == 1.0);
    CHECK(exponential(-0.0) == 1.0);
    CHECK(exponential(infinity) == infinity);
    CHECK(exponential(1e300) == infinity);
    CHECK(exponential(0x1.62e42fefa39f0p9) == infinity);  // the first above ln of the largest double
    CHECK(exponential(0x1.62e42fefa39efp9) < infinity);
    CHECK(to_word(exponential(-infinity)) == 0);
    CHECK(to_word(exponential(-1e300)) == 0);
    CHECK(exponential(-745.0) == 0x1p-1074);
    CHECK(to_word(exponential(-745.2)) == 0);
    CHECK(exponential(0x1p-1074) == 1.0);
    CHECK(to_word(exponential(-std::numeric_limits<double>::quiet_NaN())) == nan_word);
    CHECK(to_word(exponential(from_word<double>(0x7ff0000000000001u))) == nan_word);
}

TEST_CASE("exponential of double is within 0.8 ulp of libm's long double", "[base][math]") {
    random_stream random{4, {}};
    double worst = 0.0;
    for (int i = 0; i < 200000; ++i) {
        const double wide = (random.unit() - 0.5) * 1480.0;
        const double near_zero = std::ldexp(random.unit() - 0.5, -static_cast<int>(random.below(30)));
        for (double x : {wide, near_zero}) {
            if (x < 709.7) worst = std::max(worst, ulps(exponential(x), std::exp(static_cast<long double>(x))));
        }
    }
    CHECK(worst < 0.8);
}

TEST_CASE("exponential of float at its special arguments", "[base][math]") {
    CHECK(exponential(0.0f) == 1.0f);
    CHECK(exponential(-0.0f) == 1.0f);
    CHECK(exponential(infinity_f) == infinity_f);
    CHECK(exponential(0x1.62e430p6f) == infinity_f);  // the first above ln of the largest float
    CHECK(exponential(0x1.62e42ep6f) < infinity_f);
    CHECK(to_word(exponential(-infinity_f)) == 0);
    CHECK(exponential(-103.2f) == 0x1p-149f);
    CHECK(to_word(exponential(-104.5f)) == 0);
    CHECK(exponential(0x1p-149f) == 1.0f);
    CHECK(to_word(exponential(-std::numeric_limits<float>::quiet_NaN())) == nan_word_f);
    CHECK(to_word(exponential(from_word<float>(0x7f800001u))) == nan_word_f);
}

namespace {

/// Sees floats in increasing order: counts falls of the result, and measures every `measured`-th of them.
struct float_check {
    std::uint32_t measured = 1;
    double worst = 0.0;
    long falls = 0;
    std::uint32_t seen = 0;
    float before = 0.0f;

    void operator()(float x) {
        const float y = exponential(x);
        falls += y < before ? 1 : 0;
        before = y;
        if (++seen % measured != 0 || x < -103.0f || x > 88.7f) return;
        worst = std::max(worst, ulps(y, std::exp(static_cast<double>(x))));
    }
};

/// Every `stride`-th float from -105 to 90, but for those so small that the result is 1.
float_check check_floats(std::uint32_t stride, std::uint32_t measured) {
    float_check check{measured};
    for (std::uint32_t w = to_word(-105.0f); w >= to_word(-0x1p-27f); w -= stride) check(from_word<float>(w));
    for (std::uint32_t w = to_word(0x1p-27f); w < to_word(90.0f); w += stride) check(from_word<float>(w));
    return check;
}

}  // namespace

TEST_CASE("exponential of float rises and is within 1.1 ulp: a sample, and the seams", "[base][math]") {
    const float_check sample = check_floats(8191, 1);
    CHECK(sample.falls == 0);
    CHECK(sample.worst < 1.1);

    // Where the reduction moves on to the next power of two the polynomial starts anew.
    float_check seams;
    for (int n = -150; n < 128; ++n) {
        const float middle = static_cast<float>((n + 0.5) * 0.69314718055994530942);
        float x = middle;
        for (int i = 0; i < 200; ++i) x = std::nextafter(x, -infinity_f);
        for (int i = 0; i < 400; ++i, x = std::nextafter(x, infinity_f)) seams(x);
    }
    CHECK(seams.falls == 0);
    CHECK(seams.worst < 1.1);
}

TEST_CASE("exponential of float rises over all floats", "[.slow][base][math]") {
    const float_check all = check_floats(1, 101);
    CHECK(all.falls == 0);
    CHECK(all.worst < 1.1);
}

TEST_CASE("the results have the committed bits", "[base][math]") { CHECK(test::hash_of_math() == test::math_bits); }
