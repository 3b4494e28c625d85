// SPDX-License-Identifier: MIT
// A data set found by its file names, as its publishers ship it.
#pragma once

#include <redoubt/base/result.hpp>
#include <redoubt/io/cifar.hpp>
#include <redoubt/io/idx.hpp>
#include <redoubt/io/images.hpp>

#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace redoubt::io::inline v1 {

/// The two parts a data set comes in. Bounds and scales are taken from `train`, results from `test`.
enum class part { train, test };

}  // namespace redoubt::io::inline v1

namespace redoubt::io::inline REDOUBT_ABI {

namespace impl {

inline constexpr std::size_t cifar10_record = 1 + cifar_pixels;

inline bool is_file(const std::filesystem::path& path) {
    std::error_code ignored;
    return std::filesystem::is_regular_file(path, ignored);
}

/// The first of the names that is a file in the folder, or an empty path.
inline std::filesystem::path first_of(const std::filesystem::path& folder, std::span<const std::string> names) {
    for (const std::string& name : names)
        if (is_file(folder / name)) return folder / name;
    return {};
}

/// The spellings in use: "train-images-idx3-ubyte", "train-images.idx3-ubyte", each also with ".gz".
inline std::vector<std::string> idx_names(part which, std::string_view what) {
    std::vector<std::string> names;
    for (const char* separator : {"-", "."})
        for (const char* ending : {"", ".gz"}) {
            const bool images = what == "images";
            names.push_back(std::string{which == part::train ? "train" : "t10k"} + (images ? "-images" : "-labels") +
                            separator + (images ? "idx3" : "idx1") + "-ubyte" + ending);
        }
    return names;
}

inline std::vector<std::string> cifar10_names(part which) {
    if (which == part::test) return {"test_batch.bin"};
    return {"data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin", "data_batch_4.bin", "data_batch_5.bin"};
}

inline std::string listed(std::span<const std::string> names) {
    std::string text;
    for (const std::string& name : names) text += (text.empty() ? "" : ", ") + name;
    return text;
}

/// The last part of a path, also where it ends in a slash.
inline std::string last_name(const std::filesystem::path& path) {
    const std::filesystem::path tidy = path.lexically_normal();
    return (tidy.has_filename() ? tidy.filename() : tidy.parent_path().filename()).string();
}

inline result<image_set> load_folder(const std::filesystem::path& folder, part which) {
    const std::vector<std::string> image_names = idx_names(which, "images"), label_names = idx_names(which, "labels");
    const std::filesystem::path images = first_of(folder, image_names), labels = first_of(folder, label_names);
    if (!images.empty() && !labels.empty()) return read_idx(images.string(), labels.string());
    if (!images.empty()) return error{folder.string()} << ": has images but no labels: " << listed(label_names);
    if (!labels.empty()) return error{folder.string()} << ": has labels but no images: " << listed(image_names);

    const std::vector<std::string> batches = cifar10_names(which);
    if (!first_of(folder, batches).empty()) {
        std::vector<std::string> paths;
        for (const std::string& name : batches) paths.push_back((folder / name).string());
        return read_cifar10(paths);
    }
    const std::string hundred = which == part::train ? "train.bin" : "test.bin";
    if (is_file(folder / hundred)) return read_cifar100(std::vector{(folder / hundred).string()});
    return error{folder.string()} << ": holds no data set for " << (which == part::train ? "training" : "testing")
                                  << "; looked for IDX (" << listed(image_names) << "), CIFAR-10 (" << listed(batches)
                                  << ") and CIFAR-100 (" << hundred << ")";
}

}  // namespace impl

/// True if the two parts at that path are different images: a folder has both, a single file is both.
inline bool has_separate_parts(const std::string& path) {
    std::error_code ignored;
    return std::filesystem::is_directory(path, ignored);
}

/// One part of a data set. A folder is searched for IDX files (MNIST, Fashion-MNIST), then CIFAR-10, then CIFAR-100 in
/// their binary form; a single file is CIFAR-10 and answers for both parts. Errors say what was looked for.
inline result<image_set> load_dataset(const std::string& path, part which) {
    std::error_code failure;
    const std::filesystem::file_status status = std::filesystem::status(path, failure);
    if (!std::filesystem::exists(status)) return error{path} << ": there is no such file or folder";
    result<image_set> set = error{};
    if (std::filesystem::is_directory(status)) {
        set = impl::load_folder(path, which);
    } else {
        const std::uintmax_t size = std::filesystem::file_size(path, failure);
        const bool whole = !failure && size > 0 && size % impl::cifar10_record == 0;
        if (!whole || !std::string_view{path}.ends_with(".bin"))
            return error{path} << ": a data set in one file must be CIFAR-10 records, with a name ending in .bin and a "
                                  "size that is a multiple of "
                               << impl::cifar10_record << " bytes; otherwise give a folder";
        set = read_cifar10(std::vector{path});
    }
    if (set) set->name = impl::last_name(path);
    return set;
}

}  // namespace redoubt::io::inline REDOUBT_ABI
