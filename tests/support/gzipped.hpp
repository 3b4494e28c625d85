// SPDX-License-Identifier: MIT
// Gzip data made in memory.
#pragma once

#include "support/temp_folder.hpp"

#include <span>
#include <stdexcept>

#include <zlib.h>

namespace support {

inline bytes gzipped(std::span<const std::byte> content) {
    z_stream stream{};
    if (deflateInit2(&stream, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK) throw std::runtime_error{"zlib"};
    bytes packed(deflateBound(&stream, static_cast<uLong>(content.size())) + 32);
    stream.next_in = const_cast<Bytef*>(reinterpret_cast<const Bytef*>(content.data()));
    stream.avail_in = static_cast<uInt>(content.size());
    stream.next_out = reinterpret_cast<Bytef*>(packed.data());
    stream.avail_out = static_cast<uInt>(packed.size());
    const int code = deflate(&stream, Z_FINISH);
    packed.resize(packed.size() - stream.avail_out);
    deflateEnd(&stream);
    if (code != Z_STREAM_END) throw std::runtime_error{"zlib"};
    return packed;
}

}  // namespace support
