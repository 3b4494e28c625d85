// SPDX-License-Identifier: MIT
// A tensor somebody else owns.
#pragma once

#include <redoubt/base/contract.hpp>
#include <redoubt/tensor/shape.hpp>

#include <span>
#include <type_traits>

namespace redoubt::inline v1 {

/// Extents known at run time over elements in [row][column][channel] order.
template <class T>
class tensor_view {
public:
    constexpr tensor_view(T* data, shape extents) : data_{data}, extents_{extents} {}
    template <class U>
        requires std::is_same_v<const U, T>
    constexpr tensor_view(tensor_view<U> other) : data_{other.data()}, extents_{other.extents()} {}

    constexpr T& operator()(int row, int column, int channel) const {
        REDOUBT_EXPECTS(row >= 0 && row < extents_.height && column >= 0 && column < extents_.width && channel >= 0 &&
                        channel < extents_.channels);
        return data_[extents_.index(row, column, channel)];
    }
    constexpr T* data() const { return data_; }
    constexpr shape extents() const { return extents_; }
    constexpr int size() const { return extents_.size(); }
    constexpr std::span<T> elements() const { return {data_, static_cast<std::size_t>(size())}; }

private:
    T* data_;
    shape extents_;
};

}  // namespace redoubt::inline v1
