// SPDX-License-Identifier: MIT
// Static: that this compiles is the test.
#include <redoubt/base/pack.hpp>

#include <type_traits>

namespace redoubt {
namespace {

using three = pack<int, char, double>;
static_assert(three::size == 3 && pack<>::size == 0);
static_assert(std::is_same_v<type_at<three, 0>, int> && std::is_same_v<type_at<three, 2>, double>);
static_assert(std::is_same_v<joined<>, pack<>>);
static_assert(std::is_same_v<joined<three>, three>);
static_assert(std::is_same_v<joined<pack<int>, pack<>, pack<char, double>>, three>);
static_assert(fixed_string{"conv"}.view() == "conv");

}  // namespace
}  // namespace redoubt
