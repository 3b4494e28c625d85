# SPDX-License-Identifier: MIT
# The main job as a user meets it: reproducible, right on the public network, clear about nonsense.
set(has_resnet20 OFF)
if(resnet20 IN_LIST REDOUBT_EXAMPLE_NETWORKS)
    set(has_resnet20 ON)
endif()
set(job --program $<TARGET_FILE:resilience>)
set(small --trials 2 --images 6 --calibration 50)

redoubt_script_test(main_job.reproducible main_job.py reproducible ${job} -- --model lenet5 --trials 4 --images 10
    --calibration 100)
set_tests_properties(main_job.reproducible PROPERTIES PROCESSORS 2)
if(has_resnet20)
    redoubt_script_test(main_job.reproducible_resnet main_job.py reproducible ${job} -- ${small})
    redoubt_script_test(main_job.resilient main_job.py resilient ${job})
    set_tests_properties(main_job.reproducible_resnet main_job.resilient PROPERTIES PROCESSORS 2)
endif()

# PyTorch's logits of 1,000 images, committed (tests/make_golden.py).
foreach(model IN LISTS REDOUBT_EXAMPLE_NETWORKS)
    redoubt_script_test(main_job.golden_${model} main_job.py golden ${job}
        --golden "${CMAKE_CURRENT_SOURCE_DIR}/data/golden-${model}.safetensors" -- --model ${model} --calibration 10)
endforeach()
# Accuracy on all 10,000 images: the reference's own, what int8 loses, what range changes.
set(all --images 10000 --trials 1 --ber 0 --fault weights)
redoubt_script_test(main_job.clean_lenet5 main_job.py clean ${job} --least 89 --lost 1 --
    --model lenet5 --protect none --number fp32,fp16,int8 ${all})
set_tests_properties(main_job.clean_lenet5 PROPERTIES PROCESSORS 2)
if(has_resnet20)
    redoubt_script_test(main_job.clean_resnet20 main_job.py clean ${job} --least 93 --lost 1 --
        --protect none --number fp32,fp16,int8 ${all})
    redoubt_script_test(main_job.clean_range main_job.py clean ${job} --least 93 --agree 99.9 --
        --protect none,range --number fp32 ${all})
    set_tests_properties(main_job.clean_resnet20 main_job.clean_range PROPERTIES PROCESSORS 2)
endif()

# The public ResNet-20 on 100 original CIFAR-10 test images, where somebody has put them.
set(REDOUBT_CIFAR10_DIR "${PROJECT_SOURCE_DIR}/../shared/data/cifar10" CACHE PATH
    "Folder with resnet20.safetensors (public ResNet-20) and first100.bin (original CIFAR-10); optional")
if(has_resnet20)
    redoubt_script_test(main_job.cifar10 main_job.py accuracy ${job} --expect 94
        --need "${REDOUBT_CIFAR10_DIR}/resnet20.safetensors" --need "${REDOUBT_CIFAR10_DIR}/first100.bin" --
        --model resnet20_cifar10 --number fp32 --fault weights --protect none --ber 0 --trials 1 --calibration 100
        --weights "${REDOUBT_CIFAR10_DIR}/resnet20.safetensors" --data "${REDOUBT_CIFAR10_DIR}/first100.bin"
        --normalise "0.485,0.456,0.406/0.229,0.224,0.225")

    # PyTorch beside us, where it is installed: /usr/bin/python3 is Debian's.
    find_program(REDOUBT_DEBIAN_PYTHON NAMES python3 PATHS /usr/bin NO_DEFAULT_PATH)
    if(NOT REDOUBT_DEBIAN_PYTHON)
        set(REDOUBT_DEBIAN_PYTHON "${Python3_EXECUTABLE}")
    endif()
    add_test(NAME with_pytorch COMMAND "${REDOUBT_DEBIAN_PYTHON}" -B "${CMAKE_CURRENT_SOURCE_DIR}/with_pytorch.py"
        --resilience $<TARGET_FILE:resilience>)
    set_tests_properties(with_pytorch PROPERTIES SKIP_RETURN_CODE 77 TIMEOUT 900 PROCESSORS 2)
endif()

# Nonsense gets a clear message and a nonzero exit.
function(redoubt_refusal name code text)
    redoubt_script_test(main_job.refuses_${name} main_job.py refuses ${job} --code ${code} "--text=${text}" -- ${ARGN})
endfunction()
set(here "${CMAKE_CURRENT_SOURCE_DIR}")
redoubt_refusal(model 2 "'vgg' is not known" --model vgg)
redoubt_refusal(number 2 "'fp23' is not known" --number fp23)
redoubt_refusal(protection 2 "'luck' is not known" --protect luck)
redoubt_refusal(twice 2 "stands twice" --protect none,none)
redoubt_refusal(rate 2 "rates lie between 0 and 1" --ber 2)
redoubt_refusal(contradiction 2 "contradict each other" --ber 1e-5 --flips 3)
redoubt_refusal(dump_of_several 2 "one network in one number" --dump-outputs /dev/null)
redoubt_refusal(option 2 "--colour" --colour blue)
redoubt_refusal(trials 2 "--trials" --trials 0)
redoubt_refusal(bits 2 "'parity' is none of any, sign, exponent" --bits parity ${small})
redoubt_refusal(no_exponent 1 "no such bits" --bits exponent --number int8 --fault weights ${small})
redoubt_refusal(layer 1 "has no layer 'conv9'" --layer conv9 ${small})
redoubt_refusal(data 1 "no such file or folder" --data /nowhere)
redoubt_refusal(weights 1 "/nowhere.safetensors" --weights /nowhere.safetensors ${small})
redoubt_refusal(other_network 1 "fc1.weight [120, 400]" --model lenet5
    --weights "${PROJECT_SOURCE_DIR}/examples/weights/resnet20-fashion-mnist.safetensors" ${small})
if(has_resnet20)
    redoubt_refusal(wrong_images 1 "resnet20_cifar10 takes 3x32x32" --model resnet20_cifar10 --number fp32)
endif()
if(has_resnet20)
    redoubt_refusal(number_of_model 2 "there is no int8 of resnet20_cifar10" --model resnet20_cifar10 --number int8)
endif()
redoubt_refusal(out 1 "cannot be made a folder" --out /proc/nowhere ${small})
redoubt_refusal(full_disk 1 "/dev/full" --record /dev/full --fault weights --number int8 --protect none --ber 1e-4 ${small})
redoubt_refusal(too_many_images 1 "the test set has 10000" --images 10001)
redoubt_script_test(main_job.help main_job.py refuses ${job} --code 0 --text=--protect --text=SDC -- --help)
if(has_resnet20)
    redoubt_script_test(main_job.names main_job.py refuses ${job} --code 0 --text "layer3.2.bn2.running_var [64]" -- --names)
endif()

# Campaigns: the same bytes however they were run, recorded faults again, full disks, every place once.
find_program(REDOUBT_MPIRUN NAMES mpirun)
set(ranks "")
if(REDOUBT_WITH_MPI AND REDOUBT_MPIRUN)
    set(ranks --mpirun "${REDOUBT_MPIRUN}")
endif()
foreach(what same replay full exhaustive analysis)
    redoubt_script_test(campaigns.${what} campaigns.py ${what} ${job} ${ranks})
    set_tests_properties(campaigns.${what} PROPERTIES PROCESSORS 2)
endforeach()
redoubt_refusal(command 2 "'trial' is no command" trial)
redoubt_refusal(replay_nothing 2 "replay takes one file" replay)
redoubt_refusal(merge_nothing 2 "merge takes the journals" merge)
redoubt_refusal(fault_model 2 "'luck' is none of flip" --fault-model luck)
redoubt_refusal(shard 2 "is no i/n" --shard 3/2)
redoubt_refusal(margin 2 "from 0 (not asked for) to below 1" --margin 1)
redoubt_refusal(margin_of_shard 2 "whether a trial is run depends on all before it" --margin 0.1 --shard 1/2)
redoubt_refusal(margin_of_strata 2 "has its number of trials" --margin 0.1 --sampling stratified --fault weights)
redoubt_refusal(fit 2 "needs single faults" --fit-per-megabit 100)
redoubt_refusal(sampling_of_features 2 "is of faults in parameters" --sampling exhaustive --fault features)
redoubt_refusal(nan_in_int8 1 "no such bits in weights of int8" --fault-model nan --number int8 --fault weights ${small})
file(WRITE "${CMAKE_CURRENT_BINARY_DIR}/bad_key.json" "{\"model\": [\"lenet5\"], \"colour\": 1}")
file(WRITE "${CMAKE_CURRENT_BINARY_DIR}/bad_type.json" "{\"trials\": \"many\"}")
file(WRITE "${CMAKE_CURRENT_BINARY_DIR}/bad_json.json" "{\"trials\": 3")
redoubt_refusal(plan_key 2 "bad_key.json: 'colour' is no part of a plan" --plan "${CMAKE_CURRENT_BINARY_DIR}/bad_key.json")
redoubt_refusal(plan_type 2 "'trials' holds \"many\", which is no whole number" --plan "${CMAKE_CURRENT_BINARY_DIR}/bad_type.json")
redoubt_refusal(plan_json 2 "bad_json.json: " --plan "${CMAKE_CURRENT_BINARY_DIR}/bad_json.json")
redoubt_refusal(plan_missing 2 "/nowhere.json: cannot be opened" --plan /nowhere.json)

redoubt_script_test(train.same training.py same --program $<TARGET_FILE:resilience>)
redoubt_script_test(train.refuses training.py refuses --program $<TARGET_FILE:resilience>)
redoubt_script_test(analysis.same analysis.py same --program $<TARGET_FILE:resilience> --compiler "${CMAKE_CXX_COMPILER}" --source-dir "${PROJECT_SOURCE_DIR}" ${redoubt_script_flags})
redoubt_script_test(analysis.refuses analysis.py refuses --program $<TARGET_FILE:resilience> --compiler "${CMAKE_CXX_COMPILER}" --source-dir "${PROJECT_SOURCE_DIR}" ${redoubt_script_flags})
set_tests_properties(train.same PROPERTIES PROCESSORS 2)
