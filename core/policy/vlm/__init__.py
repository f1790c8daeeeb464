"""The vision-language student: any image-text-to-text model, adapted by LoRA on its language tower."""
