// SPDX-License-Identifier: Apache-2.0
// models.js - the models that are compared, and the data they are calibrated and compared on
//
// `calibrate` and `evaluate`: a path below PARE_DATA/sets, or demo:..., then options of `pare quantize` and of
// pare_peer. `top1`: the output is scores of classes. `mode`: what `pare quantize --mode` is given. `noise`: how much
// the outputs may differ, of their size, where rounding is not the only reason.
'use strict';

const imagenet = (preset) => ({
    calibrate: ['imagenet_sample.tar', `preset=${preset}`, 'slice=0::5'],
    evaluate: ['imagenet_sample.tar', `preset=${preset}`, 'without=0::5'],
    top1: true,
});
const cifar = (preset) => ({
    calibrate: ['cifar10_train.tar', `preset=${preset}`, 'slice=0::100'],
    evaluate: ['cifar10_test.tar', `preset=${preset}`],
    top1: true,
});
const vww = {
    calibrate: ['coco128_train.tar', 'preset=vww'],
    evaluate: ['coco128_val.tar', 'preset=vww'],
    top1: true,
};
const kws = {
    calibrate: ['kws_mfcc.f32', 'item=1,49,10', 'slice=0::4'],
    evaluate: ['kws_mfcc.f32', 'item=1,49,10', 'without=0::4'],
    top1: true,
};
const marvin = {
    calibrate: ['sww_marvin_features.f32', 'item=40,30,1'],
    evaluate: ['sww_marvin_features.f32', 'item=40,30,1'],
    top1: true,
};
const toycar = {
    calibrate: ['ad_toycar_normal.f32', 'item=640', 'slice=0::4'],
    evaluate: ['ad_toycar_normal.f32', 'item=640', 'without=0::4'],
};
// Norms and attention stay float, and round differently; a dynamic scale behind them then differs in its last bit, and
// with it some codes. Layer by layer this grows.
const stories = {
    noise: 0.02,
    calibrate: ['tinystories_sample.u16', 'window=256', 'slice=0:8:1'],
    evaluate: ['tinystories_sample.u16', 'window=256', 'slice=0:16:1'],
};
const detect = {
    calibrate: ['coco128_train.tar', 'preset=coco-bgr', 'slice=0::2'],
    evaluate: ['coco128_val.tar', 'preset=coco-bgr'],
};
const demo = { calibrate: ['demo:train', 'slice=0::20'], evaluate: ['demo:test'], top1: true };

const model = (name, file, data, mode) => ({ name, file, mode: mode || 'static', ...data });

module.exports = [
    model('mobilenetv2', 'mobilenetv2_imagenet.onnx', imagenet('imagenet-tf')),
    model('squeezenet', 'squeezenet1_0_imagenet.onnx', imagenet('imagenet-caffe')),
    model('resnet8', 'resnet8_cifar10.onnx', cifar('cifar')),
    model('resnet8_bn', 'resnet8_cifar10_bn.onnx', cifar('cifar')),
    model('resnet20', 'resnet20_cifar10.onnx', cifar('cifar-torch')),
    model('vww', 'vww_mobilenetv1_025.onnx', vww),
    model('vww_bn', 'vww_mobilenetv1_025_bn.onnx', vww),
    model('kws', 'kws_dscnn.onnx', kws),
    model('kws_tflite', 'kws_dscnn_tflite.onnx', kws),
    model('sww_marvin', 'sww_marvin_bn.onnx', marvin),
    model('ad_static', 'ad_autoencoder.onnx', toycar),
    model('ad_dynamic', 'ad_autoencoder.onnx', toycar, 'dynamic'),
    model('stories_dynamic', 'stories260K.onnx', stories, 'dynamic'),
    model('fastestdet', 'FastestDet.onnx', detect),
    model('demo', 'examples/demo.onnx', demo),
];
