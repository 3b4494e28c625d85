// SPDX-License-Identifier: MIT
// The two forms in which networks for photographs are used.
#pragma once

#include <type_traits>

namespace redoubt::model::inline v1 {

/// `photograph` is the published network, for 224x224 and the like. `thumbnail` is what is usual for images of about 32x32:
/// the same body with the first strides and pools left out.
enum class form { thumbnail, photograph };

/// The form for an image of that size: thumbnails have fewer than 96 rows or columns.
template <class Image>
inline constexpr form form_for =
    Image::extents.height < 96 || Image::extents.width < 96 ? form::thumbnail : form::photograph;

/// One of two, by form.
template <form Form, class Photograph, class Thumbnail>
using by_form = std::conditional_t<Form == form::photograph, Photograph, Thumbnail>;

}  // namespace redoubt::model::inline v1
