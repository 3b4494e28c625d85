// SPDX-License-Identifier: MIT
// A training run's log, as CSV and as a drawing.
#pragma once

#include <redoubt/app/svg.hpp>
#include <redoubt/base/result.hpp>
#include <redoubt/io/file.hpp>

#include <algorithm>
#include <cmath>
#include <string>
#include <string_view>
#include <vector>

namespace redoubt::app::inline v1 {

/// One epoch of a run.
struct training_row {
    std::uint64_t epoch = 0;
    double rate = 0.0;         ///< of its last step
    double loss = 0.0;         ///< mean over its steps
    double faulty_loss = 0.0;  ///< under faults; 0 where there is no such pass
    double accuracy = 0.0;     ///< after it, of validation images or, where there are none, of test images
    double seconds = 0.0;

    static constexpr std::string_view names = "epoch,rate,loss,faulty_loss,accuracy,seconds\n";
};

}  // namespace redoubt::app::inline v1

namespace redoubt::app::inline REDOUBT_ABI {

inline std::string training_csv(const std::vector<training_row>& rows) {
    std::string text{training_row::names};
    for (const training_row& r : rows) {
        text += std::to_string(r.epoch);
        for (const double v : {r.rate, r.loss, r.faulty_loss, r.accuracy}) text.append(",").append(shortest_text(v));
        text.append(",").append(fixed_text(r.seconds, 1)).append("\n");
    }
    return text;
}

/// Reads what training_csv() wrote, up to an epoch.
inline result<std::vector<training_row>> read_training_csv(const std::string& path, std::uint64_t last) {
    const auto bytes = io::read_file(path, std::size_t{1} << 28);
    if (!bytes) return bytes.reason();
    std::string_view text{reinterpret_cast<const char*>(bytes->data()), bytes->size()};
    if (!text.starts_with(training_row::names)) return error{path} << ": line 1 is not that of a training log";
    text.remove_prefix(training_row::names.size());
    std::vector<training_row> rows;
    while (!text.empty() && rows.size() < last) {
        const std::string_view line = text.substr(0, text.find('\n'));
        double v[6] = {};
        const char* at = line.data();
        const char* const end = line.data() + line.size();
        for (int k = 0; k < 6; ++k) {
            const auto [next, code] = std::from_chars(at, end, v[k]);
            if (code != std::errc{} || (k < 5 ? next == end || *next != ',' : next != end)) return error{path} << ": line " << rows.size() + 2 << " is not six numbers";
            at = next + 1;
        }
        rows.push_back({static_cast<std::uint64_t>(v[0]), v[1], v[2], v[3], v[4], v[5]});
        text.remove_prefix(std::min(text.size(), line.size() + 1));
    }
    return rows;
}

namespace impl {

/// A panel with a line for each series over epochs.
struct curve {
    std::string name, colour;
    std::vector<double> values;
};
inline std::string curve_panel(double left, std::string_view title, const std::vector<curve>& curves, double low, double high) {
    constexpr double width = 300.0, height = 200.0, top = 44.0;
    std::size_t count = 0;
    for (const curve& c : curves) count = std::max(count, c.values.size());
    const auto x = [&](double i) { return left + (count < 2 ? 0.5 : i / static_cast<double>(count - 1)) * width; };
    const auto y = [&](double v) { return top + (high - std::clamp(v, low, high)) / (high - low) * height; };
    std::string text = "<text x=\"" + at(left) + "\" y=\"22\" font-weight=\"bold\">" + escaped(title) + "</text>\n";
    for (int k = 0; k <= 4; ++k) {
        const double v = low + (high - low) * k / 4.0;
        text += "<path d=\"M" + at(left) + " " + at(y(v)) + "h" + at(width) + "\" stroke=\"#ddd\"/><text x=\"" + at(left - 6.0) + "\" y=\"" + at(y(v) + 4.0) +
                "\" text-anchor=\"end\">" + fixed_text(v, high - low < 0.5 ? 3 : 2) + "</text>\n";
    }
    const std::size_t step = std::max<std::size_t>(1, (count + 7) / 8);
    for (std::size_t i = 0; i < count; i += step)
        text += "<text x=\"" + at(x(static_cast<double>(i))) + "\" y=\"" + at(top + height + 18.0) + "\" text-anchor=\"middle\">" + std::to_string(i + 1) + "</text>\n";
    text += "<text x=\"" + at(left + width / 2.0) + "\" y=\"" + at(top + height + 36.0) + "\" text-anchor=\"middle\">epoch</text>\n";
    double name_at = left + width;
    for (std::size_t s = curves.size(); s-- > 0;) {
        const curve& c = curves[s];
        std::string path, points;
        for (std::size_t i = 0; i < c.values.size(); ++i) {
            if (!std::isfinite(c.values[i])) continue;
            const std::string px = at(x(static_cast<double>(i))), py = at(y(c.values[i]));
            path += (path.empty() ? "M" : "L") + px + " " + py;
            points += "<circle cx=\"" + px + "\" cy=\"" + py + "\" r=\"2.5\" fill=\"" + c.colour + "\"><title>" + escaped(c.name) + ", epoch " + std::to_string(i + 1) + ": " +
                      shortest_text(c.values[i]) + "</title></circle>\n";
        }
        text += "<path d=\"" + path + "\" fill=\"none\" stroke=\"" + c.colour + "\" stroke-width=\"2\"/>\n" + points;
        text += "<text x=\"" + at(name_at) + "\" y=\"22\" text-anchor=\"end\" fill=\"" + c.colour + "\">" + escaped(c.name) + "</text>\n";
        name_at -= 8.0 * static_cast<double>(c.name.size()) + 10.0;
    }
    return text;
}

}  // namespace impl

/// Loss and accuracy over epochs, a drawing of its own. Values that are not finite are left out of the scale.
inline std::string training_svg(const std::vector<training_row>& rows, std::string_view title, bool of_validation) {
    std::vector<impl::curve> losses{{"without faults", "#1f5fa8", {}}}, accuracies{{of_validation ? "validation" : "test", "#1f5fa8", {}}};
    const bool has_faults = std::any_of(rows.begin(), rows.end(), [](const training_row& r) { return r.faulty_loss != 0.0; });
    if (has_faults) losses.push_back({"under faults", "#b3401f", {}});
    double most = 0.0, least = 1.0;
    for (const training_row& r : rows) {
        losses[0].values.push_back(r.loss);
        if (has_faults) losses[1].values.push_back(r.faulty_loss);
        for (const double v : {r.loss, r.faulty_loss})
            if (std::isfinite(v)) most = std::max(most, v);
        accuracies[0].values.push_back(r.accuracy);
        least = std::min(least, r.accuracy);
    }
    least = std::floor(least * 20.0) / 20.0;
    return "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 760 310\" font-family=\"sans-serif\" font-size=\"12\">\n<rect width=\"760\" height=\"310\" fill=\"#fff\"/>\n" +
           impl::curve_panel(52.0, "loss", losses, 0.0, most > 0.0 ? most * 1.05 : 1.0) + impl::curve_panel(436.0, "accuracy", accuracies, least < 1.0 ? least : 0.95, 1.0) +
           "<text x=\"380\" y=\"302\" text-anchor=\"middle\" fill=\"#555\">" + escaped(title) + "</text>\n</svg>\n";
}

}  // namespace redoubt::app::inline REDOUBT_ABI
