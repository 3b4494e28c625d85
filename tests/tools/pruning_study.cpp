// SPDX-License-Identifier: MIT
// How accurate networks stay as channels go, by several rankings, before training goes on; and how often Learn-then-Test keeps its promise. For docs/pruning.md:
//
//     cmake --build build/release --target pruning_study
//     build/release/bin/pruning_study resnet20 WEIGHTS DATA 0.2860/0.3530 docs/results/pruning.csv docs/results/guarantee.csv
//
// Rows of other networks in these files stay. Rankings are from the first 500 training images; a ratio is promised from 1,000 drawn test images, and judged on the other 9,000, in 200 splits.
#include <redoubt/analyze/learn_then_test.hpp>
#include <redoubt/app/analysable.hpp>
#include <redoubt/io/dataset.hpp>
#include <redoubt/io/safetensors.hpp>
#include <redoubt/io/split.hpp>
#include <redoubt/model/resnet_cifar.hpp>
#include <redoubt/model/vgg.hpp>

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

using namespace redoubt;

namespace {

int failed(const error& why) {
    std::fprintf(stderr, "%s\n", why.c_str());
    return 1;
}

/// A file's rows of other networks, behind the line of names.
std::string others(const char* path, const std::string& names, const std::string& network) {
    std::string text = names + "\n", line;
    std::ifstream in{path};
    std::getline(in, line);
    while (std::getline(in, line))
        if (line.substr(0, line.find(',')) != network) text += line + "\n";
    return text;
}

constexpr double alpha = 0.02, delta = 0.1;
constexpr std::size_t calibration = 1000;
constexpr int splits = 200;

int study(app::analysable& net, const std::string& model, char** argv) {
    auto file = io::read_safetensors(argv[2]);
    if (!file) return failed(file.reason());
    if (const auto r = net.take(std::move(*file), argv[2]); !r) return failed(r.reason());
    const auto lessons = io::load_dataset(argv[3], io::part::train), exam = io::load_dataset(argv[3], io::part::test);
    if (!lessons) return failed(lessons.reason());
    if (!exam) return failed(exam.reason());
    if (exam->size() <= calibration) return failed(error{argv[3]} << ": has " << exam->size() << " test images, needed more than " << calibration);
    const auto by = io::parse_normalisation(argv[4], exam->channels);
    if (!by) return failed(by.reason());
    const auto some = campaign::prepare(*lessons, *by, 500), tested = campaign::prepare(*exam, *by, exam->size());
    const auto whole = net.answers(tested, nullptr, 2);
    if (!whole) return failed(whole.reason());
    std::ostringstream curve, promise;
    curve << others(argv[5], "network,ranking,block,ratio,left,weights_left,right,changed,images", model);
    promise << others(argv[6], "network,ranking,splits,violations,least_ratio,mean_ratio,largest_ratio,mean_risk", model);
    for (const std::string formula : {"parameter-vulnerability", "taylor", "l2-norm", "salience", "deepvigor", "random"}) {
        const auto ranking = net.rank({.formula = formula, .seed = 1, .threads = 2}, some);
        if (!ranking) return failed(ranking.reason());
        std::vector<std::vector<int>> answers;
        std::vector<double> ratios;
        for (int percent = 2; percent <= 90; percent += 2) {
            const auto plan = net.prune(*ranking, {.ratio = percent / 100.0});
            if (!plan) return failed(plan.reason());
            const auto got = net.answers(tested, &*plan, 2);
            if (!got) return failed(got.reason());
            std::size_t right = 0, changed = 0;
            for (std::size_t i = 0; i < tested.size(); ++i) {
                right += (*got)[i] == tested.labels[i] ? 1u : 0u;
                changed += (*got)[i] != (*whole)[i] ? 1u : 0u;
            }
            if (percent % 10 == 0)
                curve << model << "," << formula << ",1," << percent / 100.0 << "," << static_cast<double>(plan->left) / static_cast<double>(plan->multiply_adds) << ","
                      << static_cast<double>(plan->words_left) / static_cast<double>(plan->words) << "," << right << "," << changed << "," << tested.size() << "\n";
            ratios.push_back(percent / 100.0);
            answers.push_back(*got);
        }
        int violations = 0;
        double least = 1.0, most = 0.0, sum = 0.0, risks = 0.0;
        for (int split = 0; split < splits; ++split) {
            random_stream draw{static_cast<std::uint64_t>(split) + 1, {0, 0, 0, 0x4c5454u}};
            const auto order = io::drawn_first(tested.size(), calibration, draw);
            std::vector<std::uint64_t> bad(answers.size()), bad_else(answers.size());
            for (std::size_t c = 0; c < answers.size(); ++c)
                for (std::size_t i = 0; i < order.size(); ++i) (i < calibration ? bad : bad_else)[c] += answers[c][order[i]] != (*whole)[order[i]] ? 1u : 0u;
            const std::size_t taken = analyze::choices_with_guarantee(bad, calibration, {alpha, delta});
            const double ratio = taken == 0 ? 0.0 : ratios[taken - 1];
            const double risk = taken == 0 ? 0.0 : static_cast<double>(bad_else[taken - 1]) / static_cast<double>(tested.size() - calibration);
            violations += risk > alpha ? 1 : 0;
            least = std::min(least, ratio);
            most = std::max(most, ratio);
            sum += ratio;
            risks += risk;
        }
        promise << model << "," << formula << "," << splits << "," << violations << "," << least << "," << sum / splits << "," << most << "," << risks / splits << "\n";
        std::fprintf(stderr, "%s: %d of %d promises broken\n", formula.c_str(), violations, splits);
    }
    if (const auto r = io::write_file_atomically(argv[5], std::string_view{curve.str()}); !r) return failed(r.reason());
    if (const auto r = io::write_file_atomically(argv[6], std::string_view{promise.str()}); !r) return failed(r.reason());
    return 0;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 7) return failed(error{"usage: pruning_study resnet20|vgg11_cifar10 WEIGHTS DATA MEAN/DEVIATION PRUNING.csv GUARANTEE.csv"});
    const std::string model = argv[1];
    if (model == "resnet20") {
        app::typed_analysable<model::resnet20<image<1, 28, 28>>> net{model};
        return study(net, model, argv);
    }
    if (model == "vgg11_cifar10") {
        app::typed_analysable<model::vgg11_bn<image<3, 32, 32>, float32, 10>> net{model};
        return study(net, model, argv);
    }
    return failed(error{"networks: resnet20, vgg11_cifar10"});
}
